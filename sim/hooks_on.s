//go:build assaysim

// Functions without a body need an assembly file in the package.
