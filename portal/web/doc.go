// Package web draws what a citizen sees: every public page of one portal,
// rendered on the server, in German and English, readable without JavaScript
// and without a request to anybody else.
//
// It owns pages, their wording and states [UX.md §1, §6], the design files
// (static, kern), branding (brand) and languages (locale), and implements
// sso.Pages. It decides nothing about responsibility or trust: answers come
// from federation/directory, places from federation/region, who is signed in
// from Sessions. Paths are given out by the portal; handlers read variables
// with (*http.Request).PathValue and are safe for concurrent use.
package web
