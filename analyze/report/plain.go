package report

import (
	"math"
	"reflect"

	"github.com/tokenpersistence/toolkit/analyze/oneline"
)

// plain is a copy of a report whose texts hold nothing but characters that can
// be seen, and whose numbers are numbers: what a title or a query carries must
// neither steer a terminal nor break a table or an XML file. It walks the struct
// by reflection, so that no new field can be forgotten. JSON has rules of its
// own and takes the report as it is.
func plain(r Report) Report {
	return plainValue(reflect.ValueOf(r)).Interface().(Report)
}

func plainValue(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		return reflect.ValueOf(oneline.Text(v.String())).Convert(v.Type())
	case reflect.Slice:
		if v.Len() == 0 || !holdsText(v.Type().Elem()) {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(plainValue(v.Index(i)))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			out.Field(i).Set(plainValue(v.Field(i)))
		}
		return out
	case reflect.Pointer:
		if n, ok := v.Interface().(Number); ok && n != nil && (math.IsNaN(*n) || math.IsInf(*n, 0)) {
			return reflect.Zero(v.Type())
		}
	}
	return v
}

// holdsText tells whether elements of a type can need a change; long lists of
// plain numbers are shared, not copied.
func holdsText(t reflect.Type) bool {
	return t.Kind() != reflect.Float64 && t.Kind() != reflect.Int
}
