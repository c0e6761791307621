package report

import "reflect"

// scrubbed returns a copy of v in which every text is plain and of bearable length. What is shown is drawn from such a copy,
// so that no name of a journey, a fault or an error can act, wherever it is put.
func scrubbed[T any](v T) T {
	var copied T
	scrub(reflect.ValueOf(&copied).Elem(), reflect.ValueOf(v))
	return copied
}

func scrub(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.String:
		to.SetString(shown(from.String()))
	case reflect.Struct:
		to.Set(from) // what is not exported is texts of no record
		for i := range from.NumField() {
			if to.Field(i).CanSet() {
				scrub(to.Field(i), from.Field(i))
			}
		}
	case reflect.Slice:
		if from.IsNil() || !texts(from.Type().Elem()) {
			to.Set(from)
			return
		}
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			scrub(to.Index(i), from.Index(i))
		}
	case reflect.Map:
		if from.IsNil() {
			return
		}
		to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
		for _, key := range from.MapKeys() {
			k, v := reflect.New(key.Type()).Elem(), reflect.New(from.Type().Elem()).Elem()
			scrub(k, key)
			scrub(v, from.MapIndex(key))
			to.SetMapIndex(k, v)
		}
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			scrub(to.Elem(), from.Elem())
		}
	default:
		to.Set(from)
	}
}

// texts says whether values of the type can hold text: the many points of a series cannot.
func texts(t reflect.Type) bool { return t != reflect.TypeFor[Point]() && t != reflect.TypeFor[byte]() }
