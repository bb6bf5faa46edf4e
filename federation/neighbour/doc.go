// Package neighbour lets the portals of one Landkreis answer for places of
// another [DESIGN §6]. A hub publishes a sealed, short list of the hubs next to
// it (List); whose place it is, is asked with a Question; the neighbour answers
// with the directory's one result value, sealed (Answer). A hub passes the
// neighbour's bytes on unchanged and keeps them; whoever asks verifies the
// neighbour's seal against the list of its own hub. What is past its time is
// labelled as old, and where nothing is known the answer is "cannot know",
// never "nobody".
//
// What it leaves to others: who is a neighbour (portal: named by the operator,
// or by the Land above both), the gossip between hubs (discovery) and the
// answers themselves (federation/directory).
//
// Package relay asks, passes on and keeps.
//
// A node holds the list and nothing else of other Landkreise; only hubs keep
// answers, and only those that were asked for.
package neighbour
