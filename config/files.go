package config

import "strings"

// File is a file that a configuration names.
type File struct {
	Key    string // of the configuration
	Path   string
	Secret bool
}

// named is a path of the configuration, to be read or set.
type named struct {
	key    string
	path   *string
	secret bool
}

// named lists every file of the configuration, also those that are not set.
// The data folder and what is below it are not among them.
func (c *Config) named() []named {
	out := []named{
		{"tls.cert", &c.TLS.Cert, false}, {"tls.key", &c.TLS.Key, true}, {"portal.file", &c.Portal.File, false},
		{"catalog.delegations", &c.Catalog.Delegations, false}, {"store.redis.password_file", &c.Store.Redis.PasswordFile, true},
		{"register.plz", &c.Register.PLZ, false}, {"register.leika", &c.Register.Leika, false},
		{"admin.secret_file", &c.Admin.SecretFile, true}, {"hub.pool.key_file", &c.Hub.Pool.KeyFile, true},
	}
	for i := range c.Register.GV100AD {
		out = append(out, named{"register.gv100ad", &c.Register.GV100AD[i], false})
	}
	for i := range c.OP.Clients {
		out = append(out, named{"op.clients", &c.OP.Clients[i].SecretFile, true}, named{"op.clients", &c.OP.Clients[i].JWKSFile, false})
	}
	for i := range c.OP.Upstreams {
		out = append(out, named{"op.upstreams", &c.OP.Upstreams[i].SecretFile, true})
	}
	return out
}

// Files lists the files that the configuration names, in no particular order.
// A catalogue's source is not among them: it belongs to somebody else.
func (c Config) Files() []File {
	var out []File
	for _, n := range c.named() {
		if *n.path != "" {
			out = append(out, File{Key: n.key, Path: *n.path, Secret: n.secret})
		}
	}
	return out
}

// anchor makes the paths of the file absolute.
func (c *Config) anchor(dir string) {
	c.Data = absolute(dir, c.Data)
	if !strings.Contains(c.Catalog.Source, "://") {
		c.Catalog.Source = absolute(dir, c.Catalog.Source)
	}
	for _, n := range c.named() {
		*n.path = absolute(dir, *n.path)
	}
}
