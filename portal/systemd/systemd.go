package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrManager is wrapped by every error of this package.
var ErrManager = errors.New("systemd: the service manager cannot be used")

// firstFD is the first descriptor handed over, SD_LISTEN_FDS_START.
const firstFD = 3

// maxFDs bounds how many sockets are taken over.
const maxFDs = 16

// Manager is the service manager as the environment describes it. A nil
// Manager is one that nobody listens to. It is safe for concurrent use.
type Manager struct {
	socket   string        // "" without a manager
	watchdog time.Duration // 0: no watchdog
	fds      int
	names    []string
}

// FromEnvironment reads NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID,
// LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES. Variables that are meant for
// another process are ignored; what cannot be read wraps ErrManager.
func FromEnvironment(getenv func(string) string, pid int) (*Manager, error) {
	m := &Manager{socket: getenv("NOTIFY_SOCKET")}
	if s := getenv("WATCHDOG_USEC"); s != "" && mine(getenv("WATCHDOG_PID"), pid) {
		usec, err := strconv.ParseInt(s, 10, 64)
		if err != nil || usec <= 0 {
			return nil, fmt.Errorf("%w: WATCHDOG_USEC is %q", ErrManager, s)
		}
		m.watchdog = time.Duration(usec) * time.Microsecond
	}
	if s := getenv("LISTEN_FDS"); s != "" && mine(getenv("LISTEN_PID"), pid) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > maxFDs {
			return nil, fmt.Errorf("%w: LISTEN_FDS is %q", ErrManager, s)
		}
		m.fds, m.names = n, strings.Split(getenv("LISTEN_FDNAMES"), ":")
	}
	return m, nil
}

func mine(s string, pid int) bool { return s == "" || s == strconv.Itoa(pid) }

// Listeners takes over the sockets of the process, by the names the socket
// unit gave them (FileDescriptorName=). A socket without a name of its own, or
// with "unknown", is called "http"; a second one of a name is refused. It is
// empty without socket activation and must be called once.
func (m *Manager) Listeners() (map[string]net.Listener, error) {
	out := map[string]net.Listener{}
	if m == nil {
		return out, nil
	}
	for i := range m.fds {
		name := "http"
		if i < len(m.names) && m.names[i] != "" && m.names[i] != "unknown" && !strings.HasSuffix(m.names[i], ".socket") {
			name = m.names[i]
		}
		f := os.NewFile(uintptr(firstFD+i), name)
		unix.CloseOnExec(firstFD + i)
		ln, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return out, errors.Join(fmt.Errorf("%w: descriptor %d is no listening socket: %w", ErrManager, firstFD+i, err), closeAll(out))
		}
		if out[name] != nil {
			return out, errors.Join(fmt.Errorf("%w: two sockets are named %q; set FileDescriptorName= in one of them", ErrManager, name), ln.Close(), closeAll(out))
		}
		out[name] = ln
	}
	return out, nil
}

func closeAll(m map[string]net.Listener) error {
	var errs []error
	for _, ln := range m {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}

// WatchdogEvery is how often Alive must be called at least; half of what the
// unit allows, zero if it has no watchdog.
func (m *Manager) WatchdogEvery() time.Duration {
	if m == nil || m.socket == "" {
		return 0
	}
	return m.watchdog / 2
}

// Ready says that the service answers, and how it is.
func (m *Manager) Ready(status string) error { return m.tell("READY=1\n" + statusLine(status)) }

// Reloading says that a reload has begun; Ready ends it.
func (m *Manager) Reloading() error {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return fmt.Errorf("%w: %w", ErrManager, err)
	}
	return m.tell(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d\n", ts.Nano()/1000))
}

// Stopping says that the service ends in order.
func (m *Manager) Stopping() error { return m.tell("STOPPING=1\nSTATUS=stopping\n") }

// Status says in one line how the service is.
func (m *Manager) Status(status string) error { return m.tell(statusLine(status)) }

// Alive feeds the watchdog.
func (m *Manager) Alive() error { return m.tell("WATCHDOG=1\n") }

// statusLine keeps a status from bringing further assignments.
func statusLine(s string) string { return "STATUS=" + strings.ReplaceAll(s, "\n", "; ") + "\n" }

func (m *Manager) tell(state string) error {
	if m == nil || m.socket == "" {
		return nil
	}
	addr := m.socket
	if strings.HasPrefix(addr, "@") {
		addr = "\x00" + addr[1:] // the abstract namespace
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: addr, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrManager, err)
	}
	err = c.SetWriteDeadline(time.Now().Add(time.Second))
	if err == nil {
		_, err = c.Write([]byte(state))
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrManager, err)
	}
	return nil
}
