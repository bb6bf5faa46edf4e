// Package webtest looks at pages in a headless Chromium, for the tests of
// citizen pages and operator pages alike: findings of axe in light and dark,
// sideways scroll, requests to other hosts, text at 200 %, keyboard focus, and
// what a person does on a page. axe is embedded (MPL-2.0, axe-LICENSE.txt).
//
// It is for tests only; nothing of the program imports it.
package webtest
