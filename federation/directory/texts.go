package directory

import (
	"hash/maphash"
	"slices"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory/words"
	"rathausnetz/federation/leika"
)

// Where a word stands, the best first.
const (
	inTitle   = 1 << iota // in a title
	inSynonym             // in a catalogue synonym
	inText                // in a section
	fieldBits = 3
)

// texts is the searchable side of an index: one document for each distinct
// Leistung, however many members offer it, and one for each offer without
// key. It is immutable; the next one shares the lists that did not change.
type texts struct {
	vocabulary *words.Vocabulary
	surface    []string   // by word number: how people write it
	postings   [][]uint32 // by word number: document<<fieldBits | fields, ascending
	docs       []*document
	ofKey      []int32 // document by key number, -1 for none
	names      map[string][]int32
	lengths    []float32 // by document: words in its title, weak ones for less; 0 for none
	numbers    []int32   // by document: the number of its key, -1 for an own offer
	memory     *memory
	live       int
}

// document is what the ranking knows of one Leistung. A document without
// offers has none of its other fields.
type document struct {
	key    leika.ID // zero for an own offer
	no     uint32   // key number
	slot   int32    // own offer: the member
	offer  int32    // own offer: its index there
	own    int32    // own offer: index into member.own
	offers int32    // how many offers stand behind it
	title  string   // the most frequent one
	sort   string   // title as it is ordered
	head   []uint32 // its words without fillers, by number
}

func emptyTexts() *texts { return &texts{vocabulary: &words.Vocabulary{}, memory: &memory{}} }

// textBuilder is the writer's side. It keeps for every document how often
// each word occurs in which field, so that taking one member out costs no
// more than putting it in.
type textBuilder struct {
	seed     maphash.Seed
	weights  words.Weights
	stems    map[string]uint32 // folded word → number
	profiles map[uint64]uint32 // hash → index into all
	all      []*profile
	unused   []uint32 // indexes into all
	docs     []*docState
	free     []int32
	ofKey    []int32             // by key number: its document plus one
	members  map[int32][]written // by slot
	most     int                 // words, see bounded

	current *texts
	fresh   []string          // words not yet in the vocabulary
	stemNo  map[string]uint32 // stem → number, also of fresh ones
	surface []string
	shared  bool     // readers hold surface: copy before changing a word
	dirty   []uint64 // word<<32 | document, with repetitions
	changed []int32  // documents
	named   map[int32]memberName
	names   map[string][]int32
}

type docState struct {
	document
	texts  map[*profile]*textCount
	counts map[uint32]int32 // term of a profile → profiles that have it
	titles map[string]*titleCount
	queued bool // in changed
}

// textCount is how many offers of one document have one text.
type textCount struct {
	n     int32
	title *titleCount
}

type titleCount struct {
	n    int
	head []uint32
}

// written is what one offer has put into a document.
type written struct {
	doc     int32
	profile uint32 // index into all
}

func newTextBuilder() *textBuilder {
	return &textBuilder{
		seed: maphash.MakeSeed(), weights: words.NewWeights(),
		stems: map[string]uint32{}, stemNo: map[string]uint32{},
		profiles: map[uint64]uint32{},
		members:  map[int32][]written{}, most: maxWords, current: emptyTexts(), named: map[int32]memberName{},
	}
}

// maxWords bounds the words remembered of catalogues that are long replaced.
const maxWords = 1 << 20

// bounded returns b, or a new builder with only what the members of ix have
// now if too many words have come together: a member that publishes new words
// every day must not fill the memory.
func (b *textBuilder) bounded(ix *index) *textBuilder {
	if len(b.stems) < b.most {
		return b
	}
	next := newTextBuilder()
	next.most, next.named = b.most, b.named
	for slot, m := range ix.members {
		if m == nil || !m.hasCopy {
			continue
		}
		in := arrival{member: m, slot: int32(slot)}
		for i := range int32(m.offers) {
			o := m.offer(i)
			if o == nil {
				o = &catalog.Offer{} // its place must stay; it is found no more
			}
			in.fresh = append(in.fresh, *o)
			in.hashes = append(in.hashes, textHash(next.seed, o))
		}
		next.putIn(ix, &in)
	}
	return next
}

// update takes the members of gone out and those of fresh in, first what they
// had before, and returns the new texts.
func (b *textBuilder) update(ix *index, fresh []arrival, gone []int32) *texts {
	for _, slot := range gone {
		b.takeOut(slot)
		delete(b.named, slot)
		b.names = nil
	}
	for i := range fresh {
		in := &fresh[i]
		if name := in.Name + " " + in.ShortName; b.named[in.slot].text != name {
			b.named[in.slot] = newMemberName(name)
			b.names = nil
		}
		was := b.members[in.slot]
		delete(b.members, in.slot)
		b.putIn(ix, in)
		b.release(was)
	}
	return b.publish(ix)
}

func (b *textBuilder) takeOut(slot int32) {
	b.release(b.members[slot])
	delete(b.members, slot)
}

func (b *textBuilder) release(list []written) {
	for _, w := range list {
		p := b.all[w.profile]
		b.count(w.doc, p, -1)
		if p.refs--; p.refs == 0 {
			delete(b.profiles, p.hash)
			b.all[w.profile] = nil
			b.unused = append(b.unused, w.profile)
		}
	}
}

func (b *textBuilder) putIn(ix *index, in *arrival) {
	list := make([]written, 0, len(in.fresh))
	own := int32(0)
	for i := range in.fresh {
		o := &in.fresh[i]
		var doc int32
		if o.Leika.IsZero() {
			for int(own) < len(in.own) && in.own[own].offer < int32(i) {
				own++
			}
			if int(own) == len(in.own) || in.own[own].offer != int32(i) {
				continue
			}
			doc = b.newDoc(document{slot: in.slot, offer: int32(i), own: own})
		} else {
			no, _ := ix.keys.no(o.Leika)
			doc = b.keyDoc(o.Leika, no)
		}
		no := b.profile(o, in.hashes[i])
		p := b.all[no]
		p.refs++
		b.count(doc, p, 1)
		list = append(list, written{doc, no})
	}
	b.members[in.slot] = list
}

func (b *textBuilder) keyDoc(key leika.ID, no uint32) int32 {
	for int(no) >= len(b.ofKey) {
		b.ofKey = append(b.ofKey, 0)
	}
	d, ok := b.ofKey[no]-1, b.ofKey[no] > 0
	if !ok {
		d = b.newDoc(document{key: key, no: no})
		b.ofKey[no] = d + 1
	}
	return d
}

func (b *textBuilder) newDoc(d document) int32 {
	s := &docState{document: d, texts: map[*profile]*textCount{}, counts: map[uint32]int32{}, titles: map[string]*titleCount{}}
	if n := len(b.free); n > 0 {
		i := b.free[n-1]
		b.free = b.free[:n-1]
		b.docs[i] = s
		return i
	}
	b.docs = append(b.docs, s)
	return int32(len(b.docs) - 1)
}

// publish writes the changed lists anew and leaves the others as they are.
func (b *textBuilder) publish(ix *index) *texts {
	next := *b.current
	next.vocabulary = next.vocabulary.With(b.fresh)
	b.fresh = nil
	next.surface, b.shared = b.surface, true
	b.publishPostings(&next)
	b.publishDocs(&next)
	if len(next.ofKey) < len(ix.keys.ids) {
		next.ofKey = b.keyDocs(ix.keys)
	}
	next.names = b.memberNames(ix)
	next.live = 0
	for _, d := range next.docs {
		if d.offers > 0 {
			next.live++
		}
	}
	next.lengths, next.numbers = make([]float32, len(next.docs)), make([]int32, len(next.docs))
	for i, d := range next.docs {
		next.lengths[i], next.numbers[i] = next.length(d), int32(d.no)
		if d.key.IsZero() {
			next.numbers[i] = -1
		}
	}
	next.memory = &memory{}
	b.changed = b.changed[:0]
	b.current = &next
	return &next
}

func (b *textBuilder) publishPostings(next *texts) {
	if len(b.dirty) == 0 {
		return
	}
	slices.Sort(b.dirty)
	pairs := slices.Compact(b.dirty)
	b.dirty = nil
	lists := make([][]uint32, next.vocabulary.Len())
	copy(lists, next.postings)
	for from := 0; from < len(pairs); {
		word := uint32(pairs[from] >> 32)
		to := from
		for to < len(pairs) && uint32(pairs[to]>>32) == word {
			to++
		}
		lists[word] = b.merge(lists[word], word, pairs[from:to])
		from = to
	}
	next.postings = lists
}

// merge returns list with the entries of the given documents as they are now.
func (b *textBuilder) merge(list []uint32, word uint32, pairs []uint64) []uint32 {
	out := make([]uint32, 0, len(list)+len(pairs))
	i := 0
	for _, p := range pairs {
		doc := uint32(p)
		for i < len(list) && list[i]>>fieldBits < doc {
			out = append(out, list[i])
			i++
		}
		if i < len(list) && list[i]>>fieldBits == doc {
			i++
		}
		fields := uint32(0)
		for _, field := range []uint32{inTitle, inSynonym, inText} {
			if b.docs[doc].counts[word<<fieldBits|field] > 0 {
				fields |= field
			}
		}
		if fields != 0 {
			out = append(out, doc<<fieldBits|fields)
		}
	}
	return slices.Clip(append(out, list[i:]...))
}

func (b *textBuilder) publishDocs(next *texts) {
	if len(b.changed) == 0 {
		return
	}
	docs := make([]*document, len(b.docs))
	copy(docs, next.docs)
	for _, i := range b.changed {
		s := b.docs[i]
		s.queued = false
		d := s.document
		best := 0
		d.title, d.head = "", nil
		for title, t := range s.titles {
			if t.n > best || (t.n == best && title < d.title) {
				best, d.title, d.head = t.n, title, t.head
			}
		}
		d.sort = words.FoldText(d.title)
		docs[i] = &d
	}
	next.docs = docs
}

func (b *textBuilder) keyDocs(keys *keyTable) []int32 {
	of := make([]int32, len(keys.ids))
	for no := range keys.ids {
		of[no] = -1
		if no < len(b.ofKey) {
			of[no] = b.ofKey[no] - 1
		}
	}
	return of
}
