package web

import (
	"errors"

	"rathausnetz/portal/web/brand"
)

// look is what SetBrand replaces as a whole.
type look struct {
	brand brand.Brand
	marks assets
}

// SetBrand shows another brand from the next page on. A brand that cannot be
// used changes nothing; its error wraps ErrConfig. It may be called while
// pages are served.
func (w *Web) SetBrand(b brand.Brand) error {
	if err := b.Check(); err != nil {
		return errors.Join(ErrConfig, err)
	}
	if b.ShortName == "" {
		b.ShortName = b.Name
	}
	marks, err := loadAssets(&b)
	if err != nil {
		return errors.Join(ErrConfig, err)
	}
	if ok, darker := b.Color.Readable(); !ok {
		w.cfg.Log.Warn("main colour is too light for links, a darker tone is used", "colour", b.Color.String(), "used", darker.String())
	}
	w.look.Store(&look{brand: b, marks: marks})
	w.cache.clear()
	return nil
}

// brand is the present one; read only.
func (w *Web) brand() *brand.Brand { return &w.look.Load().brand }
