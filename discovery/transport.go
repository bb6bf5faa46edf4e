package discovery

import (
	"bytes"
	"errors"
	"log"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// errBlocked is what dialling a blocked address returns.
var errBlocked = errors.New("discovery: address blocked")

const (
	maxPacket    = 64 << 10 // bytes of a UDP packet
	socketBuffer = 2 << 20  // bytes that the kernel keeps while nobody reads; halved until it agrees
	acceptPause  = 5 * time.Millisecond
)

// transport carries memberlist's packets and streams. It differs from the one
// of memberlist, which makes 64 KB of garbage for every packet of some hundred
// bytes. It counts what this node sends, and drops what is meant for addresses
// that block names, as a pulled cable would. Only sending is filtered: a cut is
// made by blocking on both sides.
type transport struct {
	tcp     *net.TCPListener
	udp     *net.UDPConn
	bound   netip.AddrPort
	log     *log.Logger
	block   func(netip.AddrPort) bool // nil: nothing
	bytes   atomic.Uint64             // packets sent, and both ways of streams begun here
	packets chan *memberlist.Packet
	streams chan net.Conn
	closing chan struct{}
	close   func() error // idempotent
	readers sync.WaitGroup
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

// newTransport listens and starts to read; Shutdown waits for the readers.
func newTransport(want netip.AddrPort, block func(netip.AddrPort) bool, logger *log.Logger) (*transport, error) {
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(want))
	if err != nil {
		return nil, err
	}
	bound := netip.AddrPortFrom(want.Addr(), tcp.Addr().(*net.TCPAddr).AddrPort().Port())
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(bound))
	if err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	for size := socketBuffer; size >= maxPacket && udp.SetReadBuffer(size) != nil; size /= 2 {
	}
	t := &transport{tcp: tcp, udp: udp, bound: bound, log: logger, block: block,
		packets: make(chan *memberlist.Packet), streams: make(chan net.Conn), closing: make(chan struct{})}
	t.close = sync.OnceValue(func() error {
		close(t.closing)
		return errors.Join(t.tcp.Close(), t.udp.Close())
	})
	t.readers.Go(t.accept)
	t.readers.Go(t.receive)
	return t, nil
}

// Shutdown implements memberlist.Transport.
func (t *transport) Shutdown() error {
	err := t.close()
	t.readers.Wait()
	return err
}

// accept hands on streams that others begin.
func (t *transport) accept() {
	for {
		c, err := t.tcp.Accept()
		if err != nil {
			select {
			case <-t.closing:
				return
			case <-time.After(acceptPause): // too many open files, for example
				t.log.Printf("[ERR] memberlist: accept: %v", err)
			}
			continue
		}
		select {
		case t.streams <- c:
		case <-t.closing:
			_ = c.Close() // nobody has read from it
			return
		}
	}
}

// receive hands on packets, each in a buffer of its own size.
func (t *transport) receive() {
	buf := make([]byte, maxPacket)
	for {
		n, from, err := t.udp.ReadFromUDPAddrPort(buf)
		now := time.Now()
		select {
		case <-t.closing:
			return
		default:
		}
		if err != nil || n == 0 {
			t.log.Printf("[DEBUG] memberlist: read packet of %d bytes: %v", n, err)
			continue
		}
		p := &memberlist.Packet{Buf: bytes.Clone(buf[:n]), From: net.UDPAddrFromAddrPort(from), Timestamp: now}
		select {
		case t.packets <- p:
		case <-t.closing:
			return
		}
	}
}

// PacketCh implements memberlist.Transport.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh implements memberlist.Transport.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// FinalAdvertiseAddr implements memberlist.Transport; the address is always
// decided before.
func (t *transport) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return nil, 0, err
	}
	return a.Unmap().AsSlice(), port, nil
}

func (t *transport) blocked(a netip.AddrPort) bool {
	return t.block != nil && t.block(netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
}

// WriteTo implements memberlist.Transport.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return time.Time{}, err
	}
	if t.blocked(a) {
		return time.Now(), nil
	}
	t.bytes.Add(uint64(len(b)))
	_, err = t.udp.WriteToUDPAddrPort(b, a)
	return time.Now(), err
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return t.WriteTo(b, a.Addr)
}

// DialTimeout implements memberlist.Transport.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if t.blocked(a) {
		return nil, errBlocked
	}
	c, err := (&net.Dialer{Timeout: timeout}).Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &meteredConn{Conn: c, bytes: &t.bytes}, nil
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(a.Addr, timeout)
}

type meteredConn struct {
	net.Conn
	bytes *atomic.Uint64
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(uint64(n))
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(uint64(n))
	return n, err
}
