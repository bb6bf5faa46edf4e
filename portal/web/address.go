package web

// AssetURL returns the address of a design file for pages beside these.
func (w *Web) AssetURL(name string) string { return w.files.URL(name) }

// MarkURL returns the address of a branding file for pages beside these:
// marke.css, wappen, titelbild; "" for a picture that there is not.
func (w *Web) MarkURL(name string) string { return w.look.Load().marks.url(name) }
