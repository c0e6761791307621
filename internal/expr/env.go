package expr

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// maxArgs is how many arguments a Func can take: CEL has no variadic functions,
// so each count is an overload.
const maxArgs = 8

func newEnv(names Names) (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true),
		cel.EnableMacroCallTracking(), // so that a clause can be printed as it was written
		cel.ParserExpressionSizeLimit(64 << 10),
		ext.Strings(), ext.Math(), ext.Lists(), ext.Sets(),
	}
	for _, name := range names.Vars {
		opts = append(opts, cel.Variable(name, cel.DynType))
	}
	for _, f := range names.Funcs {
		opts = append(opts, cel.Function(f.Name, overloads(f)...))
	}
	return cel.NewEnv(opts...)
}

func overloads(f Func) []cel.FunctionOpt {
	binding := cel.LateFunctionBinding()
	if f.Call != nil {
		binding = cel.FunctionBinding(func(args ...ref.Val) ref.Val { return invoke(f, args) })
	}
	var opts []cel.FunctionOpt
	var args []*cel.Type
	for n := range maxArgs + 1 {
		opts = append(opts, cel.Overload(fmt.Sprintf("%s_%d", f.Name, n), args[:n:n], cel.DynType, binding))
		args = append(args, cel.DynType)
	}
	return opts
}

// invoke calls f. Its error becomes a CEL error that keeps the cause.
func invoke(f Func, args []ref.Val) ref.Val {
	plainArgs := make([]any, len(args))
	for i, arg := range args {
		value, err := plain(arg)
		if err != nil {
			return types.WrapErr(fmt.Errorf("%s: argument %d: %w", f.Name, i+1, err))
		}
		plainArgs[i] = value
	}
	result, err := f.Call(plainArgs)
	if err != nil {
		return types.WrapErr(fmt.Errorf("%s: %w", f.Name, err))
	}
	return types.DefaultTypeAdapter.NativeToValue(result)
}
