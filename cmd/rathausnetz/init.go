package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

// errExists keeps init from touching what is there.
var errExists = errors.New("exists already; nothing was changed")

type initInput struct {
	Entity, Listen, Data, Name, Short, Area string
	Hub, Loopback                           bool
}

func initCommand() *cobra.Command {
	var in initInput
	cmd := &cobra.Command{
		Use: "init [FOLDER]", Short: "Write a commented configuration and the keys of a new node", GroupID: "run", Args: cobra.MaximumNArgs(1),
		Example: `  rathausnetz init --entity https://portal.bissendorf.example --name "Gemeinde Bissendorf" --data /var/lib/rathausnetz /etc/rathausnetz
  rathausnetz init --hub --area 03459 --entity https://portal.lkos.example --name "Landkreis Osnabrück"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			if err := in.check(); err != nil {
				return err
			}
			if err := writeNode(dir, in); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "written: %s, %s, keys in %s\nnext: rathausnetz serve --config %s\n",
				filepath.Join(dir, "node.yaml"), filepath.Join(dir, "portal.yaml"), filepath.Join(in.dataIn(dir), "keys"), filepath.Join(dir, "node.yaml"))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Entity, "entity", "", "public address of the node (required)")
	f.StringVar(&in.Name, "name", "", "legal name, for example \"Gemeinde Bissendorf\" (required)")
	f.StringVar(&in.Short, "short", "", "short name for badges; default: the name without its kind")
	f.StringVar(&in.Listen, "listen", "127.0.0.1:8600", "host:port of the own listener")
	f.StringVar(&in.Data, "data", "data", "folder for keys, sessions and copies; relative to FOLDER")
	f.BoolVar(&in.Hub, "hub", false, "the hub of a Landkreis")
	f.StringVar(&in.Area, "area", "", "with --hub: the 5 digits of the Kreis")
	f.BoolVar(&in.Loopback, "loopback-http", false, "a trial on this machine with http://NAME.localhost")
	return cmd
}

func (in *initInput) check() error {
	id, err := federation.ParseEntityID(in.Entity, in.Loopback)
	if err != nil {
		return fmt.Errorf("--entity: %w", err)
	}
	in.Entity = string(id)
	if strings.TrimSpace(in.Name) == "" {
		return errors.New("--name is missing: the legal name, for example \"Gemeinde Bissendorf\"")
	}
	if in.Short == "" {
		in.Short = in.Name
		for _, kind := range []string{"Gemeinde ", "Stadt ", "Samtgemeinde "} {
			in.Short = strings.TrimPrefix(in.Short, kind)
		}
	}
	if in.Hub {
		if a, err := region.ParseArea(in.Area); err != nil || a.Len() != 5 && a.Len() != 2 {
			return fmt.Errorf("--area %q: a hub needs the 5 digits of its Kreis (or the 2 of its Land)", in.Area)
		}
	}
	return nil
}

// dataIn is the data folder of a node whose configuration lies in dir.
func (in *initInput) dataIn(dir string) string {
	if filepath.IsAbs(in.Data) {
		return in.Data
	}
	return filepath.Join(dir, in.Data)
}

// writeNode writes everything or nothing: it looks first and takes back what
// it wrote if a later step fails.
func writeNode(dir string, in initInput) (err error) {
	files := map[string]*template.Template{"node.yaml": nodeTemplate, "portal.yaml": portalTemplate}
	for name := range files {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s %w", filepath.Join(dir, name), errExists)
		}
	}
	data := in.dataIn(dir)
	keys := filepath.Join(data, "keys")
	if _, err := os.Stat(keys); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s %w", keys, errExists)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var written []string
	defer func() {
		if err != nil {
			for _, p := range written {
				err = errors.Join(err, os.RemoveAll(p))
			}
		}
	}()
	for name, t := range files {
		var b strings.Builder
		if err := t.Execute(&b, in); err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		written = append(written, path)
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			return err
		}
	}
	written = append(written, keys)
	if _, err = trust.CreateKeys(keys); err != nil {
		return err
	}
	return giveBack(data)
}

var nodeTemplate = template.Must(template.New("node").Parse(`# One node of a Rathausnetz network. Unknown keys are refused with line and
# suggestion; check with: rathausnetz config check
#
# The node's public address. It is its name in the network and cannot change later.
entity: {{.Entity}}

# The own listener. Behind a reverse proxy that terminates TLS keep it on 127.0.0.1;
# otherwise name certificate and key below.
listen: {{.Listen}}
#tls:
#  cert: /etc/ssl/portal.crt
#  key: /etc/ssl/portal.key

# Addresses of reverse proxies whose X-Forwarded-For is believed.
#proxies: [127.0.0.1]

# Keys, sessions and mirrored catalogues. Back this folder up.
data: {{.Data}}
{{if .Loopback}}
# Plain http, for names that mean this machine only. Never on a node others can reach.
loopback_http: true
{{end}}
# Name, colours, texts and pictures of the portal.
portal:
  file: portal.yaml
{{if .Hub}}
# This node is the hub: it invites members and is the trust anchor of its area.
hub:
  enabled: true
  name: {{.Name}}
  short: {{.Short}}
  area: "{{.Area}}"

# Accounts for citizens; one login for every portal of the network.
op:
  enabled: true
{{end}}
# How nodes find each other: UDP and TCP on one port, open to the other members.
gossip:
  bind: 0.0.0.0:7946
  #advertise: 192.0.2.10:7946

# Private addresses are never called, except for authorities inside the
# administration's own network:
#outbound:
#  allow: [10.1.0.0/16]

# The own catalogue: an XZuFi file, folder, .zip or https URL with index.txt, or a
# YAML file. Without it the node keeps its catalogue itself: rathausnetz catalog import
#catalog:
#  source: /var/lib/bus-export
#  every: 6h

# The web addresses in the own texts are checked, each once a day at most; 0s switches it off.
#links:
#  every: 24h
#  pause: 2s   # between two requests to one host

# Several replicas of this node share Redis; a single node needs nothing.
#store:
#  redis:
#    addrs: [127.0.0.1:6379]

# Areas beyond the Kreis that is built in: the official GV100AD file.
#register:
#  gv100ad: [GV100AD_31082025.txt]
#  leika: leika.csv   # columns leika;name: unknown keys then stop a publication

log:
  level: info
  format: text
`))

var portalTemplate = template.Must(template.New("portal").Parse(`# What people see of this node.
name: {{.Name}}
short_name: {{.Short}}
main_color: "#175c3a"
greeting: Willkommen im Serviceportal
intro: Hier finden Sie die Leistungen Ihrer Gemeinde und des Landkreises an einem Ort.
contact:
  street: ""
  plz: ""
  ort: ""
  phone: ""
  email: ""
opening_hours: []
#wappen: {file: wappen.svg, alt: "Wappen"}
#title_image: {file: titelbild.svg}
`))
