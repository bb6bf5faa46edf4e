package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Errors of this package.
var (
	// ErrNotRunning means that no node listens at the socket.
	ErrNotRunning = errors.New("control: no running node found; start it with: rathausnetz serve")
	// ErrRunning means that another process already serves this data folder.
	ErrRunning = errors.New("control: another node already runs on this data folder; stop it first")
	// ErrPath means that the socket's path is too long for the system.
	ErrPath = errors.New("control: path of the socket is too long; choose a data folder with a shorter path")
)

const (
	maxBody    = 16 << 20
	maxAnswer  = 256 << 20 // a whole catalogue
	maxPath    = 104       // sun_path holds 108 bytes, one of them zero
	callLimit  = 5 * time.Minute
	socketName = "control.sock"
)

// Path returns where the node of a data folder listens.
func Path(dataDir string) string { return filepath.Join(dataDir, socketName) }

// Verb does one thing for the operator. Its error is shown to them as it is.
type Verb func(ctx context.Context, args json.RawMessage) (any, error)

// Handle makes a Verb of a function with typed argument and result.
func Handle[In, Out any](f func(context.Context, In) (Out, error)) Verb {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var in In
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &in); err != nil {
				return nil, fmt.Errorf("control: arguments: %w", err)
			}
		}
		return f(ctx, in)
	}
}

// Server answers verbs at one socket.
type Server struct {
	Dir   string // data folder
	Verbs map[string]Verb
	Log   *slog.Logger
}

type answer struct {
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Listen opens the socket. A socket that nobody answers is a leftover of a
// killed process and is replaced; one that answers is ErrRunning.
func (s *Server) Listen() (net.Listener, error) {
	path := Path(s.Dir)
	if len(path) > maxPath {
		return nil, fmt.Errorf("%w: %s", ErrPath, path)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("%w: %s", ErrRunning, s.Dir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("control: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("control: %w", err)
	}
	return ln, nil
}

// Serve answers until ctx ends, then removes the socket.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	var wg sync.WaitGroup
	wg.Go(func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(stop); err != nil {
			srv.Close()
		}
	})
	err := srv.Serve(ln)
	wg.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// ServeHTTP answers POST /{verb}.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	verb, ok := s.Verbs[r.URL.Path[1:]]
	if !ok {
		s.answer(w, http.StatusNotFound, answer{Error: fmt.Sprintf("this node does not know the verb %q", r.URL.Path[1:])})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.answer(w, http.StatusRequestEntityTooLarge, answer{Error: fmt.Sprintf("more than %d bytes", maxBody)})
		return
	}
	result, err := verb(r.Context(), body)
	if err != nil {
		s.answer(w, http.StatusUnprocessableEntity, answer{Error: err.Error()})
		return
	}
	s.answer(w, http.StatusOK, answer{Result: result})
}

func (s *Server) answer(w http.ResponseWriter, status int, a answer) {
	b, err := json.Marshal(a)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"control: the result cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}

// Call asks the node of a data folder to do verb. The node's refusal comes
// back as an error with its sentence.
func Call[Out any](ctx context.Context, dataDir, verb string, args any) (Out, error) {
	var out Out
	body, err := json.Marshal(args)
	if err != nil {
		return out, fmt.Errorf("control: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", Path(dataDir))
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node/"+verb, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("control: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return out, fmt.Errorf("%w (looked in %s)", ErrNotRunning, dataDir)
		}
		return out, fmt.Errorf("control: %w", err)
	}
	defer resp.Body.Close()
	var a struct {
		Result json.RawMessage `json:"result"`
		Error  string          `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&a); err != nil {
		return out, fmt.Errorf("control: answer of the node: %w", err)
	}
	if a.Error != "" {
		return out, errors.New(a.Error)
	}
	if len(a.Result) == 0 {
		return out, nil
	}
	return out, json.Unmarshal(a.Result, &out)
}
