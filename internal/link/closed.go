package link

// maxClosed is how many streams are remembered one by one.
const maxClosed = 1 << 12

// A closed is a set of streams. Once it has many it takes all up to the highest of them as in it.
type closed struct {
	ids   map[uint32]struct{}
	floor uint32
}

func (c *closed) add(id uint32) {
	if c.ids == nil {
		c.ids = map[uint32]struct{}{}
	}
	c.ids[id] = struct{}{}
	if len(c.ids) < maxClosed {
		return
	}
	for id := range c.ids {
		c.floor = max(c.floor, id)
	}
	clear(c.ids)
}

func (c *closed) has(id uint32) bool {
	_, has := c.ids[id]
	return has || id <= c.floor
}
