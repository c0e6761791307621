package link

import "golang.org/x/sys/unix"

// splice moves bytes that nobody needs to see within the kernel, as long as there are many. It returns false
// when the connection is over.
func (p *pump) splice() bool {
	for p.awaitRoom() {
		if p.up {
			p.conn.edit()
		}
		n, ok := p.spliceSome()
		if !ok || n < chunkBytes/4 || !p.source.awaitData() {
			return ok
		}
	}
	return false
}

// spliceSome moves what there is, or lets it wait in the kernel for its turn.
func (p *pump) spliceSome() (moved int, ok bool) {
	p.hand.Lock()
	defer p.hand.Unlock()
	most := p.spliceable()
	if most < chunkBytes {
		return 0, true
	}
	through, err := p.conn.mesh.pipes.get()
	if err != nil {
		return 0, true // as before, then
	}
	if err := p.source.raw.Read(func(fd uintptr) bool {
		moved, err = through.fill(int(fd), int(min(most, pipeBytes)))
		return true
	}); err != nil || moved <= 0 {
		p.conn.mesh.pipes.unload(cargo{pipe: through})
		return 0, true // the reader finds out
	}
	p.lane.bytesIn.Add(int64(moved))
	p.chunks++
	it := item{cargo: cargo{through, moved}, at: p.conn.mesh.now(), n: p.chunks}
	if p.up {
		p.conn.tap.skip(true, int64(moved)) // what the caller is sent the tap sees when it is written
	}
	if p.sendNow(&it) {
		p.conn.mesh.pipes.unload(it.cargo)
	} else if p.enqueue(it) {
		p.drainSoon()
	}
	return moved, true
}

// spliceable returns how many of the next bytes nobody needs to see. It is asked by the reader, which holds hand.
func (p *pump) spliceable() int64 {
	if !p.connected.Load() || p.conn.editing.Load() != nil {
		return 0
	}
	p.mu.Lock()
	waiting := p.waiting
	p.mu.Unlock()
	most := p.conn.tap.opaque(p.up)
	if !p.up {
		most -= int64(waiting) // which the tap has not seen yet
	}
	b := p.bend.Load()
	if b.free() {
		return most
	}
	room := b.room() - waiting
	if b.byChunk() {
		room = chunkBytes
	}
	return min(most, int64(max(room, chunkBytes)))
}

// awaitData waits until there is something to read, and returns false when nothing comes any more.
func (s *source) awaitData() bool {
	return s.raw.Read(func(fd uintptr) bool {
		var one [1]byte
		for {
			_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	}) == nil
}
