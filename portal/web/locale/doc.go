// Package locale holds every sentence a citizen reads, in German and English,
// and how the two write dates and names. A key is present in all languages or
// the tests fail; there is no silent fallback between languages for the
// portal's own texts. Texts of offers are another matter: they belong to
// their authority, and portal/web marks the language they are really in.
//
// German sentences follow the rules for plain language: one thought, up to 15
// words, the person is addressed.
package locale
