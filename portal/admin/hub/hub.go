package hub

import (
	"context"
	"embed"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/report"
)

//go:embed templates
var templates embed.FS

// Path is where the pages begin.
const Path = admin.Root + "/verbund"

// Config is what the pages show. All fields are required.
type Config struct {
	Self      federation.EntityID
	Name      string      // of the network, in sentences: "Landkreis Osnabrück"
	Area      region.Area // of the network
	Anchor    *anchor.Anchor
	Directory *directory.Directory
	Register  *region.Register
	// Peers returns how every member's portal is doing, the own one included.
	Peers func() []Peer
	// Gaps returns which missing answers people have met, most often first.
	Gaps func(context.Context) ([]report.Gap, error)
	// Kept returns what is kept as evidence against a member.
	Kept func(federation.EntityID) ([]mirror.Kept, error)
	// Preview returns the directory as it would be if a grant were planned.
	Preview func(federation.EntityID, federation.Planned) *directory.Directory
}

// Peer is one member's portal as the hub sees it.
type Peer struct {
	Member    federation.Member
	Self      bool
	Reachable bool
	Since     time.Time     // of Reachable; zero if not known
	RTT       time.Duration // zero if not measured
	Copy      mirror.State
	Serial    uint64
	Announced uint64
	Offers    int
	Outside   int       // claims left out because the mark does not grant them
	Checked   time.Time // age of the copy
	Err       error     // of the last pull, nil after a success
}

// Hub draws the pages. It is safe for concurrent use.
type Hub struct{ cfg Config }

// New returns the pages for a hub.
func New(cfg Config) *Hub { return &Hub{cfg: cfg} }

// Section returns the table of the pages and who may use them.
func (h *Hub) Section() admin.Section {
	const get, post = http.MethodGet, http.MethodPost
	v := staff.Verbund
	return admin.Section{Name: "Verbund", Path: Path, Templates: templates, Home: h.home, Pages: []admin.Page{
		{Method: get, Path: Path, Nav: "Netz", Roles: v, Serve: h.network},
		{Method: get, Path: Path + "/aufnahme", Nav: "Aufnahme", Roles: v, Serve: h.joining},
		{Method: post, Path: Path + "/einladen", Roles: v, Audited: true, Serve: h.invite},
		{Method: post, Path: Path + "/freigeben", Roles: v, Audited: true, Serve: h.approve},
		{Method: post, Path: Path + "/ablehnen", Roles: v, Audited: true, Serve: h.refuse},
		{Method: get, Path: Path + "/mitglied", Roles: v, Serve: h.member},
		{Method: get, Path: Path + "/pausieren", Roles: v, Serve: h.askSuspend},
		{Method: post, Path: Path + "/pausieren", Roles: v, Audited: true, Serve: h.suspend},
		{Method: post, Path: Path + "/zulassen", Roles: v, Audited: true, Serve: h.readmit},
		{Method: post, Path: Path + "/gebiet", Roles: v, Audited: true, Serve: h.rescope},
		{Method: get, Path: Path + "/uebergaben", Nav: "Übergaben", Roles: v, Serve: h.handovers},
		{Method: get, Path: Path + "/uebergabe", Roles: v, Serve: h.handover},
		{Method: post, Path: Path + "/uebergabe", Roles: v, Audited: true, Serve: h.plan},
		{Method: post, Path: Path + "/uebergabe/absagen", Roles: v, Audited: true, Serve: h.unplan},
		{Method: get, Path: Path + "/ausschliessen", Serve: h.askRevoke}, // Leitung alone
		{Method: post, Path: Path + "/ausschliessen", Audited: true, Serve: h.revoke},
		{Method: get, Path: Path + "/abdeckung", Nav: "Abdeckung", Roles: v, Serve: h.coverage},
		{Method: get, Path: Path + "/abdeckung.csv", Roles: v, Serve: h.coverageCSV},
		{Method: get, Path: Path + "/konflikte", Nav: "Konflikte", Roles: v, Serve: h.conflicts},
		{Method: get, Path: Path + "/luecken", Nav: "Lücken", Roles: v, Serve: h.gaps},
		{Method: get, Path: Path + "/beweise", Nav: "Beweise", Roles: v, Serve: h.evidence},
		{Method: get, Path: Path + "/beweis", Roles: v, Serve: h.exhibit},
		{Method: get, Path: Path + "/protokoll", Nav: "Protokoll", Roles: v, Serve: h.trail},
		{Method: get, Path: Path + "/protokoll.csv", Roles: v, Serve: h.trailCSV},
		{Method: get, Path: Path + "/protokoll.json", Roles: v, Serve: h.trailJSON},
	}}
}
