package trust

// wordList holds 256 common German nouns that are hard to mistake for one
// another when read aloud. Order and content are part of what is shown to
// people on both sides and never change.
var wordList = [256]string{
	"Abend", "Acker", "Adler", "Affe", "Ahorn", "Ampel", "Amsel", "Anker",
	"Antenne", "Apfel", "April", "Arena", "Armband", "Asphalt", "Atlas", "Auge",
	"August", "Auto", "Bach", "Badewanne", "Bagger", "Bahnhof", "Balkon", "Banane",
	"Bank", "Bauer", "Baum", "Becher", "Beere", "Berg", "Besen", "Bett",
	"Biber", "Biene", "Birke", "Zirkus", "Blatt", "Blume", "Boden", "Bohne",
	"Boot", "Brief", "Brille", "Brot", "Brunnen", "Buch", "Burg", "Butter",
	"Dach", "Dachs", "Dampfer", "Deich", "Delfin", "Distel", "Donner", "Dorf",
	"Drachen", "Dreieck", "Durst", "Ebene", "Eiche", "Eimer", "Eisen", "Elefant",
	"Ente", "Erbse", "Erde", "Ernte", "Esel", "Eule", "Fabrik", "Fahne",
	"Fahrrad", "Falke", "Farbe", "Wiese", "Feld", "Fenster", "Ferien", "Feuer",
	"Fichte", "Finger", "Fisch", "Flasche", "Fluss", "Frosch", "Fuchs", "Funke",
	"Gabel", "Gans", "Garten", "Gebirge", "Geige", "Gemeinde", "Gewitter", "Gitarre",
	"Glas", "Glocke", "Gold", "Zitrone", "Gurke", "Hafen", "Hafer", "Hagel",
	"Hahn", "Hammer", "Hand", "Harfe", "Hase", "Weizen", "Vulkan", "Heide",
	"Helm", "Hemd", "Herbst", "Hering", "Heu", "Himmel", "Hirsch", "Hof",
	"Holz", "Honig", "Horn", "Hotel", "Huhn", "Hund", "Igel", "Insel",
	"Jacke", "Januar", "Jubel", "Juli", "Kaffee", "Kalender", "Kamel", "Kamin",
	"Kanne", "Veilchen", "Kasten", "Katze", "Zeder", "Kerze", "Kette", "Kino",
	"Kirche", "Zebra", "Zeitung", "Klavier", "Klee", "Knopf", "Koffer", "Kompass",
	"Korb", "Kran", "Kreide", "Kreis", "Krone", "Kuchen", "Kugel", "Ziegel",
	"Lampe", "Landrat", "Laterne", "Laub", "Leder", "Leiter", "Wurzel", "Licht",
	"Linde", "Wolke", "Lupe", "Magnet", "Mais", "Mantel", "Markt", "Maus",
	"Meer", "Mehl", "Melone", "Messer", "Milch", "Mittag", "Wald", "Motor",
	"Muschel", "Museum", "Zaun", "Nagel", "Nebel", "Vogel", "Nord", "Nuss",
	"Ofen", "Ohr", "Oktober", "Onkel", "Orange", "Orgel", "Paket", "Palme",
	"Papier", "Pappel", "Paprika", "Park", "Perle", "Pfanne", "Pfeffer", "Pferd",
	"Pflaume", "Pilz", "Pinsel", "Platz", "Quark", "Quelle", "Wasser", "Radio",
	"Rathaus", "Regen", "Wagen", "Wolle", "Rettich", "Ring", "Rose", "Roggen",
	"Sack", "Salat", "Salz", "Sand", "Sattel", "Schaf", "Schiff", "Schloss",
	"Schnee", "Schule", "See", "Segel", "Seife", "Sommer", "Sonne", "Spaten",
	"Spiegel", "Stall", "Stein", "Stern", "Stuhl", "Tanne", "Tasse", "Taube",
	"Teller", "Tiger", "Tomate", "Traktor", "Treppe", "Trommel", "Tulpe", "Turm",
}
