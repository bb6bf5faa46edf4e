// Purge writes portal/web/static/files/kern.css: the rules of KERN's published
// stylesheet that the pages use. It is run by "go generate ./portal/web/kern"
// with KERN_CSS naming dist/kern.min.css of the npm package @kern-ux/native.
package main
