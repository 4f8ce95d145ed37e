package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// obey reads one command a line and prints one line for each, in order: {"answer": ...} or {"error": "..."}.
//
//	members                         who is alive or suspect
//	health                          the health score
//	join ADDR:PORT                  push/pull with another member
//	leave                           leave the cluster and stay up
//	meta TEXT                       new metadata, told to all
//	state TEXT                      new user state, for the next push/pull
//	send NODE packet|stream TEXT    a user message
//	broadcast TEXT                  a user message to all, by gossip
//	key add|use|remove HEX          changes the keyring
//	owners ADDR ...                 who of the members speaks for each address, as MetalLB elects on layer 2
func obey(app *application, members *memberlist.Memberlist, ring *memberlist.Keyring) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		answer, err := perform(strings.SplitN(lines.Text(), " ", 4), app, members, ring)
		if err != nil {
			say(map[string]interface{}{"error": err.Error()})
		} else {
			say(map[string]interface{}{"answer": answer})
		}
	}
}

func perform(
	words []string, app *application, members *memberlist.Memberlist, ring *memberlist.Keyring,
) (interface{}, error) {
	rest := strings.Join(words[1:], " ")
	switch words[0] {
	case "members":
		all := []interface{}{}
		for _, node := range members.Members() {
			all = append(all, describe(node))
		}
		return all, nil
	case "health":
		return members.GetHealthScore(), nil
	case "join":
		return members.Join([]string{rest})
	case "leave":
		return true, members.Leave(time.Second)
	case "meta":
		app.lock.Lock()
		app.meta = []byte(rest)
		app.lock.Unlock()
		return true, members.UpdateNode(time.Second)
	case "state":
		app.lock.Lock()
		app.state = []byte(rest)
		app.lock.Unlock()
		return true, nil
	case "broadcast":
		app.broadcasts.QueueBroadcast(text(rest))
		return true, nil
	case "send":
		if len(words) == 4 {
			return true, send(members, words[1], words[2], []byte(words[3]))
		}
	case "owners":
		return owners(members, words[1:]), nil
	case "key":
		if len(words) == 3 && ring != nil {
			return true, change(ring, words[1], bytesOf(words[2]))
		}
	}
	return nil, fmt.Errorf("not understood: %s", strings.Join(words, " "))
}

func send(members *memberlist.Memberlist, name, how string, message []byte) error {
	for _, node := range members.Members() {
		if node.Name != name {
			continue
		}
		if how == "stream" {
			return members.SendReliable(node, message)
		}
		return members.SendBestEffort(node, message)
	}
	return fmt.Errorf("no member %s", name)
}

func change(ring *memberlist.Keyring, how string, key []byte) error {
	switch how {
	case "add":
		return ring.AddKey(key)
	case "use":
		return ring.UseKey(key)
	case "remove":
		return ring.RemoveKey(key)
	}
	return fmt.Errorf("a key can be added, used and removed, not %q", how)
}
