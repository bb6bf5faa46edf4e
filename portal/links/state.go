package links

import "fmt"

// State grades a link [UX.md §8].
type State string

// The states.
const (
	OK        State = "ok"        // in Ordnung
	Check     State = "check"     // prüfen
	Broken    State = "broken"    // defekt
	Missing   State = "missing"   // fehlt
	Unchecked State = "unchecked" // noch nicht geprüft
)

// rank puts the worst first.
func (s State) rank() int {
	switch s {
	case Broken:
		return 0
	case Missing:
		return 1
	case Check:
		return 2
	case Unchecked:
		return 3
	}
	return 4
}

// German is the state as pages call it.
func (s State) German() string {
	switch s {
	case Broken:
		return "defekt"
	case Missing:
		return "fehlt"
	case Check:
		return "prüfen"
	case Unchecked:
		return "noch nicht geprüft"
	}
	return "in Ordnung"
}

// Reason says why a link has its state.
type Reason string

// The reasons.
const (
	Fine        Reason = "fine"
	NotYet      Reason = "not-yet"
	NoLink      Reason = "no-link"
	NotFound    Reason = "not-found"   // 404
	Gone        Reason = "gone"        // 410
	NoAnswer    Reason = "no-answer"   // no such name, nobody listens, time is up
	Slow        Reason = "slow"        // over 5 s
	Certificate Reason = "certificate" // expired, another name, unknown issuer
	Robots      Reason = "robots"      // robots.txt does not want us
	Forbidden   Reason = "forbidden"   // 401, 403, 429 and the like
	Moved       Reason = "moved"       // for good
	Elsewhere   Reason = "elsewhere"   // for now, to another host
	Loop        Reason = "loop"        // too many redirects, or to nowhere
	Failing     Reason = "failing"     // 5xx
	Odd         Reason = "odd"         // any other status
	Internal    Reason = "internal"    // an address that is not public
)

// sentence says what was found, in one sentence.
func (r Result) sentence() string {
	again := ""
	if r.State == Check && r.Strikes > 0 {
		again = " Wir prüfen an einem anderen Tag noch einmal."
	}
	switch r.Reason {
	case Fine:
		return "Die Seite antwortet."
	case NotYet:
		return "Dieser Link wurde noch nicht geprüft."
	case NoLink:
		return "Zu dieser Leistung ist kein Link eingetragen."
	case NotFound:
		return "Unter dieser Adresse gibt es keine Seite (Antwort 404)." + again
	case Gone:
		return "Die Seite wurde gelöscht (Antwort 410)." + again
	case NoAnswer:
		return "Der Server antwortet nicht." + again
	case Slow:
		return "Die Seite antwortet erst nach mehr als 5 Sekunden."
	case Certificate:
		return "Das Zertifikat des Servers ist nicht gültig: Browser warnen vor der Seite."
	case Robots:
		return "Der Server möchte nicht von Programmen besucht werden: Wir können den Link nicht prüfen."
	case Forbidden:
		return fmt.Sprintf("Der Server lässt unsere Prüfung nicht zu (Antwort %d).", r.Status)
	case Moved:
		return "Die Seite ist umgezogen."
	case Elsewhere:
		return "Der Link führt zurzeit zu einem anderen Server: " + r.Detail + "."
	case Loop:
		return "Der Link leitet immer weiter und kommt nirgends an."
	case Failing:
		return fmt.Sprintf("Der Server meldet einen Fehler (Antwort %d).", r.Status)
	case Internal:
		return "Die Adresse gehört zu einem internen Netz: Bürgerinnen und Bürger erreichen sie nicht."
	}
	return fmt.Sprintf("Der Server antwortet ungewöhnlich (Antwort %d).", r.Status)
}

// remedy suggests one thing to do; "" if nothing is to be done.
func (r Result) remedy() string {
	switch r.Reason {
	case NoLink:
		return "Tragen Sie den Onlinedienst, ein Formular oder eine Seite mit weiteren Angaben ein."
	case NotFound, Gone:
		return "Suchen Sie die neue Adresse der Seite und tragen Sie sie ein, oder entfernen Sie den Link."
	case NoAnswer:
		return "Öffnen Sie den Link im Browser. Antwortet er auch dort nicht, fragen Sie den Betreiber der Seite."
	case Slow:
		return "Fragen Sie den Betreiber der Seite, warum sie so lange braucht."
	case Certificate:
		return "Bitten Sie den Betreiber der Seite, das Zertifikat zu erneuern."
	case Robots, Forbidden:
		return "Öffnen Sie den Link im Browser und prüfen Sie ihn selbst."
	case Moved:
		return "Tragen Sie die neue Adresse ein: " + r.Detail
	case Elsewhere:
		return "Prüfen Sie im Browser, ob das Ziel stimmt."
	case Loop:
		return "Öffnen Sie den Link im Browser und tragen Sie die Adresse ein, die Sie dort sehen."
	case Failing, Odd:
		return "Versuchen Sie es später im Browser. Bleibt der Fehler, fragen Sie den Betreiber der Seite."
	case Internal:
		return "Tragen Sie die öffentliche Adresse der Seite ein."
	}
	return ""
}
