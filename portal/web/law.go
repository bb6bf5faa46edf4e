package web

import "rathausnetz/federation/region"

// land is what the legal pages name of one Land.
type land struct {
	of     string // "des Landes Niedersachsen"
	access string // the law on accessible websites of public bodies
}

// lands are the sixteen Länder by the first two digits of their keys.
var lands = map[string]land{
	"01": {"des Landes Schleswig-Holstein", "das Landesbehindertengleichstellungsgesetz Schleswig-Holstein"},
	"02": {"der Freien und Hansestadt Hamburg", "das Hamburgische Behindertengleichstellungsgesetz"},
	"03": {"des Landes Niedersachsen", "das Niedersächsische Behindertengleichstellungsgesetz"},
	"04": {"der Freien Hansestadt Bremen", "das Bremische Behindertengleichstellungsgesetz"},
	"05": {"des Landes Nordrhein-Westfalen", "das Behindertengleichstellungsgesetz Nordrhein-Westfalen"},
	"06": {"des Landes Hessen", "das Hessische Behinderten-Gleichstellungsgesetz"},
	"07": {"des Landes Rheinland-Pfalz", "das Landesinklusionsgesetz Rheinland-Pfalz"},
	"08": {"des Landes Baden-Württemberg", "das Landes-Behindertengleichstellungsgesetz Baden-Württemberg"},
	"09": {"des Freistaats Bayern", "das Bayerische Behindertengleichstellungsgesetz"},
	"10": {"des Saarlandes", "das Saarländische Behindertengleichstellungsgesetz"},
	"11": {"des Landes Berlin", "das Barrierefreie-IKT-Gesetz Berlin"},
	"12": {"des Landes Brandenburg", "das Brandenburgische Behindertengleichstellungsgesetz"},
	"13": {"des Landes Mecklenburg-Vorpommern", "das Landesbehindertengleichstellungsgesetz Mecklenburg-Vorpommern"},
	"14": {"des Freistaats Sachsen", "das Barrierefreie-Websites-Gesetz Sachsen"},
	"15": {"des Landes Sachsen-Anhalt", "das Behindertengleichstellungsgesetz Sachsen-Anhalt"},
	"16": {"des Freistaats Thüringen", "das Thüringer Gesetz über die Barrierefreiheit von Websites"},
}

// landOf is the Land of an area; of one that belongs to none, words that hold
// everywhere.
func landOf(a region.Area) land {
	if l, ok := lands[a.Truncate(2).String()]; ok {
		return l
	}
	return land{"Ihres Landes", "das Gesetz zur Gleichstellung von Menschen mit Behinderungen Ihres Landes"}
}
