// Package xzufi reads XZuFi 2.2.0 and 2.3.x into a catalogue and writes a
// catalogue as XZuFi 2.2.0. It owns the spelling of the format and the import
// as a transaction; what a catalogue may contain is decided by
// federation/catalog, when to fetch by portal.
//
// No schema of XZuFi was at hand. The reader is therefore tolerant where
// messages are known to differ: any root name in a known namespace, zero, one
// or many of nearly everything, codes with or without listURI, both names of
// what 2.3 renamed. Unknown elements are skipped and counted by name.
//
// # Spelling
//
// The root carries xmlns="http://xoev.de/schemata/xzufi/2_2_0" (or 2_3_0,
// 2_3_1), usually under the prefix xz, and xzufiVersion="2.2.0". Below it
// stand nachrichtenkopf, then schreibe (with one record) and loesche
// (klasse="Leistung|LeistungSpezialisierung|Organisationseinheit|Onlinedienst|
// Zustaendigkeit" with an id). <code> and <name> inside a code element are in
// no namespace. An identifier is the attribute schemeAgencyID and the text;
// both together identify a record, as AGENCY:VALUE. testdata/beispiel holds a
// small complete message.
//
//	leistung
//	  id                           schemeAgencyID, value
//	  referenzLeiKa/code           14 digits (2.3: referenzLeistungsschluessel)
//	  modulText                    leikaTextmodul/code, inhalt languageCode="de" (HTML, escaped or CDATA)
//	    02 title  03 title if present, 02 then becomes a synonym
//	    05 Kurztext (24 if there is no 05)  06 Volltext  07 Rechtsgrundlage
//	    08 Unterlagen  09 Voraussetzungen  11 Verfahrensablauf  14 Formulare
//	    15 Weiterfuehrendes  16 Hinweise  25 Rechtsbehelf
//	    weiterfuehrenderLink       uri, titel: appended to the text as a list
//	  modulKosten, modulFrist, modulBearbeitungsdauer
//	    beschreibung               languageCode
//	  modulBegriffImKontext/begriffImKontext/begriff   a synonym
//	  leistungsadressat/code       001, 002, 003
//	  klassifizierung/code         by listURI:
//	    urn:xoev-de:fim:codeliste:pvlagen          Lebenslage, 7 digits
//	    urn:rathausnetz:codeliste:themenfeld       OZG-Themenfeld (bauen_wohnen …)
//	    urn:rathausnetz:codeliste:reichweite       netz: every portal of the network shows it
//	    urn:rathausnetz:codeliste:kennzeichen      eigene-leistung: the key is known not to be in the register
//	  informationsbereichSDG/code  7 digits (2.3: informationsbereicheSDG with lists)
//	  versionsinformation/geaendertDatumZeit           (2.3: versionsinformationen)
//	  gueltigkeit                  beginn, ende: dates, ende is the last day
//	spezialisierung                as leistung, with leistungID of what it specialises
//	                               and gueltigkeitGebietID; inherits what it leaves out
//	organisationseinheit
//	  id; name/name languageCode; zustaendigkeit*
//	  anschrift                    strasse, hausnummer, postleitzahl, ort,
//	                               verwaltungspolitischeKodierung/regionalschluessel/code
//	  kommunikation                kanal/code (01 e-mail, 02 and 03 telephone, 09 web), kennung
//	  internetadresse/uri; infoOeffnungszeitenText languageCode
//	  versionsinformation/geaendertDatumZeit
//	onlinedienst
//	  id; bezeichnung languageCode; link/link (with typ/code 01); gueltigkeit; zustaendigkeit*
//	  vertrauensniveau/code        listURI urn:rathausnetz:codeliste:vertrauensniveau:
//	                               ohne basis niedrig substanziell hoch; other lists by Options.Levels
//	  zahlungsweise/code           listURI urn:rathausnetz:codeliste:zahlung: online (must be paid online)
//	zustaendigkeitTransferObjekt
//	  uebergeordnetesObjektID      the organisationseinheit or onlinedienst
//	  zustaendigkeit
//	zustaendigkeit                 also nested in organisationseinheit and onlinedienst
//	  id                           schemeID ZustaendigkeitOrganisationseinheit or ZustaendigkeitOnlinedienst
//	  leistungID; rolle/code       01 zuständig, 02 both, 03 Ansprechpunkt
//	  gebietID*                    ARS of 2, 3, 5, 9 or 12 digits, DG for all of Germany; schemeID
//	                               urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:rs
//	  idSekundaer*                 schemeID urn:rathausnetz:gebiet:ausser: an ARS that is excepted
//	  gueltigkeit
//
// A delegation [DESIGN §4.2] has no element of its own. It is written as a
// zustaendigkeitTransferObjekt whose uebergeordnetesObjektID has schemeID
// urn:rathausnetz:delegation and the other member's entity ID as its value,
// and whose leistungID has schemeID urn:de:fim:leika:leistung and the LeiKa
// key as its value.
//
// Names under urn:rathausnetz: are this project's own: the official lists
// have no word for these facts, or their labels are not published.
package xzufi
