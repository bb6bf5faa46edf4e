package catalog

// Limits of a catalogue. They hold for what a member publishes and for what
// it accepts from others; no correct catalogue comes near them.
const (
	MaxRecords   = 1 << 16 // offers, units and delegations together
	MaxTitle     = 200     // characters of a title or a name
	MaxText      = 1 << 16 // bytes of one text in one language
	MaxRecord    = 1 << 18 // bytes of one encoded record
	MaxLanguages = 12      // languages of one text
	MaxList      = 512     // entries of any list inside a record
	MaxURL       = 2048    // bytes
	MaxID        = 200     // bytes of an ID
	maxPlain     = 1000    // bytes of a title or a name, whatever the gates say
	maxShort     = 300     // bytes of street, telephone number and the like
)
