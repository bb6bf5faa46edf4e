// Package words is what the search knows about German: how a word is folded
// (umlauts and ß in every spelling), its stem, which words carry no meaning,
// how far two spellings are apart, which words of a vocabulary begin with,
// contain or resemble another, and the dictionary of everyday words.
//
// It knows nothing of offers, members and places. Values are immutable and
// may be used concurrently. Stems come from the Snowball algorithm for German.
package words
