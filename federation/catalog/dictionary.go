package catalog

// dictionaryID names the dictionary below in every frame.
const dictionaryID = 1

// dictionary is known to both sides, so that a chunk of two or three records
// need not carry the words that every record has: the names of the fields and
// the common words of German administration, the most frequent last. It is
// part of the format: a change of one byte needs a new FormatVersion.
const dictionary = ` Apply for the permit. You can Application Register Certificate Which documents are required? ` +
	`Widerspruch Klage vor dem Verwaltungsgericht Rechtsbehelf Bescheid innerhalb eines Monats nach Bekanntgabe ` +
	`Kreishaus Rathaus Bürgerbüro Ordnungsamt Bauamt Standesamt Sozialamt Jugendamt Straßenverkehrsamt Fachdienst Fachbereich ` +
	`Samtgemeinde Gemeinde Stadt Landkreis Niedersachsen Bundesrepublik Deutschland Europäischen Union ` +
	`Geburtsurkunde Heiratsurkunde Meldebescheinigung Führungszeugnis Vollmacht Lageplan Zulassungsbescheinigung Versicherungsbestätigung ` +
	`Wohnung Wohnsitz Umzug Grundstück Gebäude Fahrzeug Gewerbe Veranstaltung Hund Kind Eltern Familie Arbeitgeber Einkommen ` +
	`Montag bis Freitag von 8 bis 12 Uhr und nach Vereinbarung Dienstag Mittwoch Donnerstag 14 bis 17 Uhr geschlossen ` +
	`Die Bearbeitung dauert in der Regel etwa zwei Wochen. Tage Monate Die Frist beträgt vor Beginn spätestens rechtzeitig ` +
	`Es fallen keine Gebühren an. Die Gebühr beträgt Euro. gebührenfrei kostenlos Verwaltungskostengesetz Satzung Verordnung ` +
	`Gesetz über die Absatz Satz Nummer Bürgerliches Gesetzbuch Straßenverkehrsordnung Niedersächsische Bauordnung (NBauO) § ` +
	`gültiger Personalausweis oder Reisepass</li><li>Nachweis über </li><li>ausgefüllter und unterschriebener Antrag</li><li>Kopie der ` +
	`Sie müssen volljährig sein. Voraussetzung ist, dass Sie Ihren Hauptwohnsitz in der Gemeinde haben. ` +
	`Sie können den Antrag online stellen, schriftlich einreichen oder persönlich bei der zuständigen Stelle abgeben. ` +
	`Die zuständige Behörde prüft Ihre Angaben und die eingereichten Unterlagen. Anschließend erhalten Sie den Bescheid per Post. ` +
	`Erteilung Genehmigung Erlaubnis Ausstellung Anmeldung Abmeldung Ummeldung Verlängerung Befreiung Bewilligung Beratung Anzeige beantragen anmelden melden ` +
	`<h3></h3><p><strong></strong></p><p><a href=\"https://www.gesetze-im-internet.de/\"></a></p><ol><li></li></ol><ul><li>` +
	`{"u":{"id":"L100042:L100042.OE.","name":{"de":"","en":""},"street":"","plz":"49","ort":"","phone":"+49 54","email":"info@","url":"https://www.",` +
	`"hours":{"de":"<p></p>"},"area":"03459","geaendert":"2026-01-01T00:00:00Z"}}` +
	`{"d":{"id":"","leika":"99","areas":["03459"],"to":"https://","valid":{"from":"2026-01-01T00:00:00Z","to":"2026-12-31T00:00:00Z"}}}` +
	`{"o":{"id":"L100042:L100042.LB.","leika":"99","own":true,"title":{"de":"","en":""},"synonyms":["",""],"sections":[` +
	`{"kind":"kurztext","text":{"de":"<p>"}},{"kind":"volltext","text":{"de":"<p>","en":"<p>"}},{"kind":"unterlagen","text":{"de":"<ul><li>","en":""}},` +
	`{"kind":"voraussetzungen","text":{"de":"<p>"}},{"kind":"kosten","text":{"de":"<p>"}},{"kind":"fristen","text":{"de":"<p>"}},` +
	`{"kind":"bearbeitungsdauer","text":{"de":"<p>"}},{"kind":"verfahrensablauf","text":{"de":"<p>"}},{"kind":"rechtsgrundlage","text":{"de":"<p>"}},` +
	`{"kind":"formulare","text":{"de":"<p>"}},{"kind":"hinweise","text":{"de":"<p>"}},{"kind":"weiterfuehrendes","text":{"de":"</p>"}},{"kind":"rechtsbehelf","text":{"de":"</ul>"}}],` +
	`"audience":["001","002"],"lebenslagen":["1070100"],"themenfeld":"","sdg":["0000000"],"zustaendigkeiten":[{"id":"","area":"03459","except":["03459"],"role":"01","unit":""}],` +
	`"onlinedienste":[{"id":"","title":{"de":""},"url":"https://","level":"niedrig","payment":true,"areas":["03459"],"links":[{"id":"","areas":["03459"]}]}],` +
	`"reach":"network","valid":{"from":"2026-01-01T00:00:00Z"},"geaendert":"2026-01-01T00:00:00Z"}}`
