package testnet

// newcomerXML is the catalogue of the Gemeinde that joins in a journey.
const newcomerXML = `<?xml version="1.0" encoding="UTF-8"?>
<xz:transfer xmlns:xz="http://xoev.de/schemata/xzufi/2_2_0" xzufiVersion="2.2.0">
  <xz:nachrichtenkopf><xz:nachrichtUUID>6a0f1a52-0000-4000-8000-000000000001</xz:nachrichtUUID></xz:nachrichtenkopf>
  <xz:schreibe>
    <xz:leistung>
      <xz:id schemeAgencyID="DEMO">belm.bank</xz:id>
      <xz:modulText>
        <xz:leikaTextmodul><code>02</code></xz:leikaTextmodul>
        <xz:inhalt languageCode="de">Sitzbank für den Dorfplatz stiften</xz:inhalt>
      </xz:modulText>
      <xz:modulText>
        <xz:leikaTextmodul><code>05</code></xz:leikaTextmodul>
        <xz:inhalt languageCode="de">&lt;p&gt;Sie stiften eine Bank. Die Gemeinde stellt sie auf.&lt;/p&gt;</xz:inhalt>
      </xz:modulText>
      <xz:klassifizierung listURI="urn:rathausnetz:codeliste:reichweite"><code>netz</code></xz:klassifizierung>
      <xz:versionsinformation><xz:geaendertDatumZeit>2026-10-01T08:00:00Z</xz:geaendertDatumZeit></xz:versionsinformation>
    </xz:leistung>
  </xz:schreibe>
  <xz:schreibe>
    <xz:organisationseinheit>
      <xz:id schemeAgencyID="DEMO">belm.rathaus</xz:id>
      <xz:name><xz:name languageCode="de">Rathaus Belm</xz:name></xz:name>
      <xz:kommunikation><xz:kanal><code>02</code></xz:kanal><xz:kennung>05406 00-0</xz:kennung></xz:kommunikation>
    </xz:organisationseinheit>
  </xz:schreibe>
  <xz:schreibe>
    <xz:zustaendigkeitTransferObjekt>
      <xz:uebergeordnetesObjektID schemeAgencyID="DEMO">belm.rathaus</xz:uebergeordnetesObjektID>
      <xz:zustaendigkeit>
        <xz:id schemeAgencyID="DEMO" schemeID="ZustaendigkeitOrganisationseinheit">belm.z1</xz:id>
        <xz:leistungID schemeAgencyID="DEMO">belm.bank</xz:leistungID>
        <xz:gebietID schemeID="urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:rs">034590008008</xz:gebietID>
        <xz:rolle><code>01</code></xz:rolle>
      </xz:zustaendigkeit>
    </xz:zustaendigkeitTransferObjekt>
  </xz:schreibe>
</xz:transfer>
`
