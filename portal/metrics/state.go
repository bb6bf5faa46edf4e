package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Snapshot is the state of a node at one moment. Zero times are not shown.
type Snapshot struct {
	State   string         // alone, waiting, member or hub
	Peers   map[string]int // other members by what gossip says of them
	Copies  map[string]int // copies of other members' catalogues by state
	Age     time.Duration  // since the copy confirmed longest ago was confirmed
	Offers  int            // of the own catalogue
	Serial  uint64         // of the own catalogue
	Expires time.Time      // when the own membership has to be renewed

	Certificate time.Time // when the certificate of the listener ends
	DiskFree    int64     // bytes for the data folder; negative: not known

	GossipBytes, GossipRefused, GossipDropped uint64
}

// state shows a snapshot at each scrape.
type state struct {
	snapshot func() Snapshot

	node, peers, copies, age, offers, serial, expires, certificate, disk *prometheus.Desc
	gossipBytes, gossipRefused, gossipDropped                            *prometheus.Desc
}

func newState(snapshot func() Snapshot) *state {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &state{
		snapshot:      snapshot,
		node:          desc("node_state", "1 for what this node is at present: alone, waiting, member or hub.", "state"),
		peers:         desc("peers", "Other members by what gossip says of them.", "state"),
		copies:        desc("copies", "Copies of other members' catalogues by state.", "state"),
		age:           desc("copy_age_seconds", "Time since the copy that was confirmed longest ago was confirmed."),
		offers:        desc("offers", "Offers in the own catalogue."),
		serial:        desc("catalogue_serial", "Serial of the own catalogue."),
		expires:       desc("membership_expiry_timestamp_seconds", "When the own membership ends unless it is renewed."),
		certificate:   desc("certificate_expiry_timestamp_seconds", "When the certificate of the listener ends."),
		disk:          desc("data_free_bytes", "Free space for the data folder."),
		gossipBytes:   desc("gossip_sent_bytes_total", "Bytes of gossip sent."),
		gossipRefused: desc("gossip_refused_total", "Gossip whose signature or shape was wrong."),
		gossipDropped: desc("gossip_dropped_total", "Gossip dropped from a full queue."),
	}
}

// Describe implements prometheus.Collector.
func (s *state) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.node, s.peers, s.copies, s.age, s.offers, s.serial, s.expires, s.certificate, s.disk, s.gossipBytes, s.gossipRefused, s.gossipDropped} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(ch chan<- prometheus.Metric) {
	v := s.snapshot()
	gauge := func(d *prometheus.Desc, x float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, x, labels...)
	}
	for _, name := range []string{"alone", "waiting", "member", "hub"} {
		is := 0.0
		if v.State == name {
			is = 1
		}
		gauge(s.node, is, name)
	}
	for name, n := range v.Peers {
		gauge(s.peers, float64(n), name)
	}
	for name, n := range v.Copies {
		gauge(s.copies, float64(n), name)
	}
	gauge(s.age, v.Age.Seconds())
	gauge(s.offers, float64(v.Offers))
	gauge(s.serial, float64(v.Serial))
	for d, t := range map[*prometheus.Desc]time.Time{s.expires: v.Expires, s.certificate: v.Certificate} {
		if !t.IsZero() {
			gauge(d, float64(t.Unix()))
		}
	}
	if v.DiskFree >= 0 {
		gauge(s.disk, float64(v.DiskFree))
	}
	for d, n := range map[*prometheus.Desc]uint64{s.gossipBytes: v.GossipBytes, s.gossipRefused: v.GossipRefused, s.gossipDropped: v.GossipDropped} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
}
