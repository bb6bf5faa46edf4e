// Package trace carries one identifier through a request, into the log and to
// the nodes that are asked on the way, as the header traceparent says [W3C
// Trace Context]. A valid one from outside is taken over, anything else is
// replaced by a fresh one. There are no spans, no exporter and no tracestate:
// the identifier is for finding the log lines of several nodes that belong
// together, and it is random, so it says nothing about anybody.
package trace
