package report

// whereItRan is said of commands that work on another machine, if anywhere.
const whereItRan = "on the machine that ran it"

// Rerun replaces the recorded commands that run experiments again by those of how, which work where the reader is. The
// recorded ones are of where the run was started: of its folder, its store and its name of assay. Where how knows none and
// returns "", the recorded one stays and is said to be of elsewhere.
func (r *Report) Rerun(how func(experiment string) string) {
	for i := range r.Experiments {
		x := &r.Experiments[i]
		x.rerun(how(x.Name))
	}
	for i := range r.Headlines {
		for _, x := range r.Experiments {
			if h := &r.Headlines[i]; x.Name == h.Experiment {
				h.Replay, h.Elsewhere = x.Replay, x.Elsewhere
			}
		}
	}
}

func (x *Experiment) rerun(command string) {
	switch {
	case command != "" && (x.Replay != "" || x.NotRun):
		x.Replay = command
	case x.Replay != "":
		x.Elsewhere = true
	}
}

// replayed is the command after words that say what it is.
func replayed(command string, elsewhere bool) string {
	if elsewhere {
		return "replay, " + whereItRan + ": " + command
	}
	return "replay: " + command
}
