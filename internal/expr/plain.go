package expr

import (
	"fmt"
	"math"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// plain converts a CEL value to a plain Go value. Durations and timestamps
// become their text, which is what JSON and reports show.
func plain(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		if v > math.MaxInt64 {
			return nil, fmt.Errorf("integer %d does not fit 64 bits with a sign", uint64(v))
		}
		return int64(v), nil
	case types.Double:
		return float64(v), nil
	case types.String:
		return string(v), nil
	case types.Bytes:
		return []byte(v), nil
	case types.Duration:
		return v.Duration.String(), nil
	case types.Timestamp:
		return v.Time.Format(time.RFC3339Nano), nil
	case traits.Mapper:
		return plainMap(v)
	case traits.Lister:
		return plainList(v)
	case *types.Err:
		return nil, v
	}
	return nil, fmt.Errorf("a value of type %s has no plain form", v.Type().TypeName())
}

func plainList(list traits.Lister) (any, error) {
	items := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		item, err := plain(it.Next())
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", len(items), err)
		}
		items = append(items, item)
	}
	return items, nil
}

func plainMap(m traits.Mapper) (any, error) {
	entries := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, fmt.Errorf("key %v of a map is a %s, and must be a string", key.Value(), key.Type().TypeName())
		}
		value, err := plain(m.Get(key))
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", string(name), err)
		}
		entries[string(name)] = value
	}
	return entries, nil
}
