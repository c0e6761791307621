package spec

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	composeloader "github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

// logging is held while compose-go's log is turned off, which is of the whole process.
var logging sync.Mutex

// ReadCompose lets compose-go read a compose file with the content. It sees no variables of
// the environment and asks no other machine. What the library logs is dropped: it has no line, and what matters
// of it (a variable that is not set) is a mistake of Load and CheckTopology, which have one.
func ReadCompose(path string, content []byte) (project *types.Project, err error) {
	defer silence()()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the compose library cannot read this file: %v", r)
		}
	}()
	details := types.ConfigDetails{WorkingDir: filepath.Dir(path), ConfigFiles: []types.ConfigFile{{Filename: path, Content: content}}, Environment: types.Mapping{}}
	return composeloader.LoadWithContext(context.Background(), details, func(o *composeloader.Options) {
		o.SetProjectName("assay", true)
		o.MaxNodeVisits = maxNodes
	})
}

// silence turns the log off until the returned function puts it back. One caller at a time has it off, as the second
// would put back what the first one set.
func silence() (restore func()) {
	logging.Lock()
	was := logrus.StandardLogger().Out
	logrus.SetOutput(io.Discard)
	return func() {
		logrus.SetOutput(was)
		logging.Unlock()
	}
}
