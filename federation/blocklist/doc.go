// Package blocklist owns which hosts no portal of the network links to, and
// what becomes of a catalogue that does: the words stay, the link goes, and
// the text says so.
//
// A blocked host stands for itself and for every host below it: example.org
// takes in www.example.org and a.b.example.org, but not badexample.org.
// Blocking www.example.org leaves example.org alone. A decision is made for
// exactly one host; a host below a blocked one cannot be exempted.
//
// Who may decide, and how a decision travels, is with trust, anchor and
// roster. What was signed stays as it is: only what is shown is changed.
package blocklist
