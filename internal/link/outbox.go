package link

import "time"

// A parcel is data that an editor sends, or an end that it makes.
type parcel struct {
	data []byte
	due  time.Duration // not before, 0: at once
	plan *plan         // that due is of
	end  ending
}

// An outbox collects what an editor sends to one side, in order.
type outbox struct {
	parcels []parcel
	spare   []byte // a buffer that nobody uses any more
}

// add appends data, which may be used again afterwards.
func (o *outbox) add(data []byte) {
	if len(data) > 0 {
		last := o.last()
		last.data = append(last.data, data...)
	}
}

// last returns a parcel that more can be appended to.
func (o *outbox) last() *parcel {
	if n := len(o.parcels); n > 0 && o.parcels[n-1].end == notEnd {
		return &o.parcels[n-1]
	}
	return o.next(0, nil)
}

// next begins a parcel that is not sent before due, as long as the plan waits.
func (o *outbox) next(due time.Duration, p *plan) *parcel {
	o.parcels = append(o.parcels, parcel{due: due, plan: p, data: o.spare[:0]})
	o.spare = nil
	return &o.parcels[len(o.parcels)-1]
}

// end ends the stream.
func (o *outbox) end(how ending) { o.parcels = append(o.parcels, parcel{end: how}) }

// take empties the outbox.
func (o *outbox) take() []parcel {
	all := o.parcels
	o.parcels = nil
	return all
}
