package disk

// A Profile says what a crash may take from a disk. All of them keep what was
// synced, and a sector is always whole: its bytes before or after a write, never half.
type Profile uint8

const (
	// Posix keeps what the standard promises and no more, as a portable program must expect it.
	// Not synced, each of these is kept or lost by itself, in any order:
	// each sector of a file; a file's size and mode, so that a grown file may hold zeros where its data was lost;
	// each change of a directory, which only a sync of that directory makes durable, never a sync of the file.
	// A rename within a directory is one change; between two directories it is one change in each,
	// so that after the sync of one of them a crash may leave both names, or none.
	//
	// Source: the abstract model of Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014
	// (ALICE), without its torn sectors and torn directory operations.
	Posix Profile = iota
	// Ext4Ordered is ext4 as Linux mounts it: data=ordered, delayed allocation, auto_da_alloc.
	// Changes of directories, truncations and modes go through one journal, and a crash keeps a prefix of it.
	// A sync commits the journal up to the last change of what is synced, so that the sync of a new file keeps its name.
	// Bytes in place are kept or lost by sectors, in any order and whatever the journal keeps. Appended bytes appear in
	// order and as written, up to any sector: a tail may be torn, and holds no zeros that were not written (a Truncate
	// that follows may leave some). They may be lost while a later rename is kept, except where the rename replaces a file,
	// or a file was truncated to nothing, written and closed: there the data goes first. The other way round they are in
	// order: no appended byte is kept without the changes of names before it.
	//
	// Sources: the same paper's findings on ext4; Documentation/filesystems/ext4 and fs/ext4 of Linux
	// for delayed allocation and auto_da_alloc.
	Ext4Ordered
	// Synced loses nothing: each operation is durable when it returns, as on a disk that is mounted sync.
	Synced
)

// String returns the profile's name.
func (p Profile) String() string {
	switch p {
	case Posix:
		return "posix"
	case Ext4Ordered:
		return "ext4-ordered"
	case Synced:
		return "synced"
	}
	return "unknown profile"
}
