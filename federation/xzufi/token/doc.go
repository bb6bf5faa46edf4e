// Package token splits an XML document into elements and text, one after
// another, with memory bounded by Limits and not by the document.
//
// It exists because XZuFi feeds are large and come from outside: it is about
// four times as fast as encoding/xml and refuses more. It reads the part of
// [XML 1.0] and [XML Names 1.0] that XÖV messages use: UTF-8, ASCII names,
// the five predefined entities and character references. A document type
// declaration is refused, so there is nothing to expand. What it accepts,
// encoding/xml accepts with the same result; a fuzz test holds it to that.
package token
