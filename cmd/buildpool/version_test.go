package main

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBuildFromWhatGoRecorded(t *testing.T) {
	info := func(version, revision, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{
			Main:     debug.Module{Version: version},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}},
		}
	}
	for name, test := range map[string]struct {
		linked string
		info   *debug.BuildInfo
		want   build
	}{
		"released":        {"", info("v1.2.3", "abc", "false"), build{Version: "v1.2.3", Revision: "abc"}},
		"linker wins":     {"v2", info("v1.2.3", "abc", "false"), build{Version: "v2", Revision: "abc"}},
		"development":     {"", info("(devel)", "abc", "true"), build{Revision: "abc-modified"}},
		"without history": {"", info("(devel)", "", "true"), build{}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, build{Version: test.linked}.with(test.info))
		})
	}
}
