package disk

import (
	"iter"
	"slices"
)

const (
	pageSize = 4096
	maxSize  = 64 << 30 // of a file: a page table is a slice, and a hole costs eight bytes a page
)

// An owner says who may change a page where it lies. All others copy it first.
type owner struct{ _ byte }

// A page is up to pageSize bytes; what is past its end reads as zero.
type page struct {
	by *owner
	b  []byte
}

// A content is the bytes of a file, in pages that copies share until one of them writes.
type content struct {
	size  int64
	pages []*page // nil: a hole
	used  int64   // pages that are no holes
	by    *owner
}

func newContent() content { return content{by: new(owner)} }

// clone returns a copy in O(pages), without copying a byte. Neither side owns the pages from now on.
func (c *content) clone() content {
	c.by = new(owner)
	return content{size: c.size, pages: slices.Clone(c.pages), used: c.used, by: new(owner)}
}

// readAt fills b from off and returns how many bytes the file has there.
func (c *content) readAt(b []byte, off int64) int {
	if off >= c.size {
		return 0
	}
	b = b[:min(int64(len(b)), c.size-off)]
	for done := 0; done < len(b); {
		i, at := int((off+int64(done))/pageSize), int((off+int64(done))%pageSize)
		part := b[done:min(len(b), done+pageSize-at)]
		n := 0
		if i < len(c.pages) && c.pages[i] != nil && at < len(c.pages[i].b) {
			n = copy(part, c.pages[i].b[at:])
		}
		clear(part[n:])
		done += len(part)
	}
	return len(b)
}

// writeAt puts b at off; the file grows to hold it.
func (c *content) writeAt(b []byte, off int64) {
	c.size = max(c.size, off+int64(len(b)))
	for len(b) > 0 {
		at := int(off % pageSize)
		part := b[:min(len(b), pageSize-at)]
		copy(c.own(int(off/pageSize), at+len(part)).b[at:], part)
		b, off = b[len(part):], off+int64(len(part))
	}
}

// own returns page i, ours to write, with at least n bytes.
func (c *content) own(i, n int) *page {
	c.reach(i)
	p := c.pages[i]
	switch {
	case p == nil:
		p = &page{by: c.by}
		c.pages[i] = p
		c.used++
	case p.by != c.by:
		b := make([]byte, len(p.b), max(n, len(p.b)))
		copy(b, p.b)
		p = &page{by: c.by, b: b}
		c.pages[i] = p
	}
	if old := len(p.b); old < n {
		p.b = slices.Grow(p.b, n-old)[:n]
		clear(p.b[old:])
	}
	return p
}

func (c *content) reach(i int) {
	if i >= len(c.pages) {
		c.pages = append(c.pages, make([]*page, i+1-len(c.pages))...)
	}
}

// resize cuts the file, or lets it end in a hole.
func (c *content) resize(size int64) {
	if size < c.size {
		c.cut(size)
	}
	c.size = size
}

// cut drops all bytes from size on.
func (c *content) cut(size int64) {
	whole, rest := int(size/pageSize), int(size%pageSize)
	if rest > 0 && whole < len(c.pages) {
		if p := c.pages[whole]; p != nil && len(p.b) > rest {
			p = c.own(whole, 0)
			p.b = p.b[:rest]
		}
		whole++
	}
	for i := whole; i < len(c.pages); i++ {
		if c.pages[i] != nil {
			c.pages[i] = nil
			c.used--
		}
	}
	c.pages = c.pages[:min(whole, len(c.pages))]
}

// share makes page i the one that from has. Both copy it before they write to it.
func (c *content) share(from *content, i int) {
	var p *page
	if i < len(from.pages) {
		p = from.pages[i]
	}
	if p == nil && i >= len(c.pages) {
		return
	}
	c.reach(i)
	if c.pages[i] != nil {
		c.used--
	}
	c.pages[i] = p
	if p == nil {
		return
	}
	c.used++
	if p.by == from.by {
		p.by = nil // it was from's alone, so nobody else reads this
	}
}

// grows returns how many pages a write of n bytes at off would add.
func (c *content) grows(off, n int64) int64 {
	pages := int64(0)
	for i := range pagesOf(off, n) {
		if i >= int64(len(c.pages)) || c.pages[i] == nil {
			pages++
		}
	}
	return pages
}

// pagesOf yields the pages that size bytes at off lie in.
func pagesOf(off, size int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := off / pageSize; size > 0 && i*pageSize < off+size && yield(i); i++ {
		}
	}
}
