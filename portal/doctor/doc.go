// Package doctor judges what is wrong with a node and says what to do about
// it. Facts are gathered in two places: on the machine (files, disk,
// certificate, name), by Look, and in the running node (hub, peers, copies,
// sign-on), by package portal. Judge turns them into findings and asks nobody.
package doctor
