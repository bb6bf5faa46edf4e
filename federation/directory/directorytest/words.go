package directorytest

// The words of the synthetic services. Arrays, so that nobody can change them.
var (
	nouns = [...]string{
		"Personal", "Hunde", "Gewerbe", "Bau", "Fahrzeug", "Geburts", "Sterbe", "Wohn", "Eltern", "Kinder", "Jagd", "Fischerei", "Führer", "Reise", "Melde", "Grund", "Wasser", "Abfall", "Straßen", "Schul",
		"Markt", "Gaststätten", "Spiel", "Waffen", "Tier", "Pflanzen", "Wald", "Boden", "Luft", "Lärm", "Energie", "Strom", "Gas", "Heizungs", "Denkmal", "Friedhofs", "Sport", "Musik", "Bücherei", "Museums",
		"Pflege", "Gesundheits", "Impf", "Arzt", "Apotheken", "Hebammen", "Rettungs", "Feuerwehr", "Katastrophen", "Ordnungs", "Verkehrs", "Park", "Taxi", "Bus", "Rad", "Brücken", "Hafen", "Schiffs", "Flug", "Funk",
		"Steuer", "Gebühren", "Beitrags", "Zuschuss", "Förder", "Darlehens", "Renten", "Unfall", "Arbeits", "Ausbildungs", "Studien", "Sprach", "Integrations", "Aufenthalts", "Einbürgerungs", "Namens", "Ehe", "Vormundschafts", "Betreuungs", "Nachlass",
	}
	heads = [...]string{
		"ausweis", "schein", "steuer", "genehmigung", "erlaubnis", "urkunde", "bescheinigung", "anzeige", "prüfung", "auskunft", "geld", "zuschuss", "beitrag", "karte", "zulassung", "anmeldung", "befreiung", "bestätigung", "abnahme", "beratung",
		"gebühr", "meldung", "register", "ordnung", "platz", "vertrag", "antrag", "nachweis", "verzeichnis", "plan", "hilfe", "zulage", "entschädigung", "versicherung", "kontrolle", "nutzung", "verlängerung", "änderung", "ersatz", "anerkennung",
		"zuteilung", "eintragung", "löschung", "übertragung", "bewilligung", "gestattung", "ausnahme", "begutachtung", "untersuchung", "schulung", "zuweisung", "abgabe", "rückgabe", "erstattung", "stundung", "vermessung", "kennzeichnung", "sicherung", "räumung", "reinigung",
		"betrieb", "verkehr", "wesen", "dienst", "förderung", "aufsicht", "verwaltung", "planung", "entsorgung", "versorgung", "nummer", "liste", "akte", "vorrang", "tausch",
	}
	verbs      = [...]string{"beantragen", "anmelden", "abmelden", "ändern", "verlängern", "erhalten", "anzeigen", "melden", "einsehen", "bezahlen", "bestellen", "prüfen lassen"}
	adjectives = [...]string{"Vorläufige", "Internationale", "Befristete", "Ermäßigte", "Vereinfachte", "Besondere", "Allgemeine", "Zusätzliche", "Erstmalige", "Elektronische"}
	fillers    = [...]string{"Sie", "können", "wenn", "Unterlagen", "innerhalb", "Frist", "zuständig", "Stelle", "Antrag", "Nachweis", "erforderlich", "persönlich", "schriftlich", "Vollmacht", "Voraussetzung", "Gemeinde", "Verwaltung", "Bearbeitung"}
)
