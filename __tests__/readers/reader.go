// Reads messages with encoding/json, one a line, and prints how it reads each: see same-message.readers.ts.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// As servers declare them: a member of another type spoils only itself.
type message struct {
	Method json.RawMessage `json:"method"`
	Params struct {
		Name   json.RawMessage `json:"name"`
		Uri    json.RawMessage `json:"uri"`
		TaskId json.RawMessage `json:"taskId"`
		Meta   struct {
			User json.RawMessage `json:"user"`
		} `json:"_meta"`
	} `json:"params"`
}

func show(raw json.RawMessage) string {
	var text *string
	if json.Unmarshal(raw, &text) != nil || text == nil {
		return "-"
	}
	return hex.EncodeToString([]byte(*text))
}

func member(object json.RawMessage, name string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return nil
	}
	return members[name]
}

func fromStruct(line []byte) []json.RawMessage {
	var m message
	_ = json.Unmarshal(line, &m)
	return []json.RawMessage{m.Method, m.Params.Name, m.Params.Uri, m.Params.TaskId, m.Params.Meta.User}
}

func fromMap(line []byte) []json.RawMessage {
	params := member(line, "params")
	return []json.RawMessage{member(line, "method"), member(params, "name"), member(params, "uri"),
		member(params, "taskId"), member(member(params, "_meta"), "user")}
}

func main() {
	read := fromStruct
	if len(os.Args) > 1 && os.Args[1] == "map" {
		read = fromMap
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		shown := []string{}
		for _, raw := range read(lines.Bytes()) {
			shown = append(shown, show(raw))
		}
		fmt.Fprintln(out, strings.Join(shown, "\t"))
	}
}
