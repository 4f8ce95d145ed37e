// A member of a hashicorp/memberlist cluster for interop tests. It prints what it sees as JSON lines, takes commands on
// standard input (see commands.go), and leaves on SIGTERM.
package main

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/memberlist"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string         { return strings.Join(*l, ",") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

var (
	out     = json.NewEncoder(os.Stdout)
	outLock sync.Mutex
)

// say prints one JSON line.
func say(line map[string]interface{}) {
	outLock.Lock()
	defer outLock.Unlock()
	if err := out.Encode(line); err != nil {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

var profiles = map[string]func() *memberlist.Config{
	"lan":   memberlist.DefaultLANConfig,
	"wan":   memberlist.DefaultWANConfig,
	"local": memberlist.DefaultLocalConfig,
}

func main() {
	var joins, keys list
	name := flag.String("name", "", "name of the node")
	bind := flag.String("bind", "", "address to bind to and to advertise")
	port := flag.Int("port", 7946, "port, UDP and TCP")
	label := flag.String("label", "", "cluster label; fails where the library has none")
	compress := flag.Bool("compress", true, "compress what is sent")
	meta := flag.String("meta", "", "metadata of the node")
	state := flag.String("state", "", "user state that push/pull carries")
	profile := flag.String("profile", "lan", "lan, wan or local")
	reclaim := flag.Duration("reclaim", 0, "after how long a dead name may come back with another address")
	bare := flag.Bool("bare", false, "no application on top: no metadata, user state and user messages")
	delegate := flag.String("delegate-versions", "0,0,0", "MIN,MAX,CURRENT of the delegate protocol; serf speaks 2,5,5")
	secret := flag.String("secret", "", "text of MetalLB's Secret, instead of a key")
	flag.Var(&joins, "join", "ADDR:PORT to join, may be repeated")
	flag.Var(&keys, "key", "key in hex, may be repeated; the first one encrypts")
	flag.Parse()

	defaults, known := profiles[*profile]
	if !known {
		fail(fmt.Errorf("no profile %q", *profile))
	}
	app := &application{meta: []byte(*meta), state: []byte(*state)}
	config := defaults()
	config.Name = *name
	config.BindAddr, config.AdvertiseAddr = *bind, *bind
	config.BindPort, config.AdvertisePort = *port, *port
	config.EnableCompression = *compress
	config.DeadNodeReclaimTime = *reclaim
	config.Logger = log.New(os.Stderr, "", log.Lmicroseconds)
	config.Events, config.Conflict = app, app
	if !*bare {
		config.Delegate = app
	}
	config.DelegateProtocolMin, config.DelegateProtocolMax, config.DelegateProtocolVersion = versions(*delegate)
	if len(keys) > 0 {
		config.Keyring = keyring(keys)
	}
	if *secret != "" {
		config.SecretKey = secretKey(*secret)
	}
	if *label != "" {
		// Only newer versions of the library know labels.
		field := reflect.ValueOf(config).Elem().FieldByName("Label")
		if !field.IsValid() {
			fail(fmt.Errorf("this version of memberlist has no labels"))
		}
		field.SetString(*label)
	}

	members, err := memberlist.Create(config)
	if err != nil {
		fail(err)
	}
	app.start(members, config.RetransmitMult)
	say(map[string]interface{}{"event": "ready"})
	if len(joins) > 0 {
		if _, err := members.Join(joins); err != nil {
			say(map[string]interface{}{"event": "joinFailed", "message": err.Error()})
		}
	}

	stopping := make(chan os.Signal, 1)
	signal.Notify(stopping, syscall.SIGTERM, syscall.SIGINT)
	go obey(app, members, config.Keyring)
	<-stopping
	members.Leave(time.Second)
	members.Shutdown()
}

func versions(text string) (min, max, current uint8) {
	if _, err := fmt.Sscanf(text, "%d,%d,%d", &min, &max, &current); err != nil {
		fail(fmt.Errorf("versions are MIN,MAX,CURRENT: %w", err))
	}
	return
}

func keyring(keys []string) *memberlist.Keyring {
	decoded := make([][]byte, len(keys))
	for i, key := range keys {
		decoded[i] = bytesOf(key)
	}
	ring, err := memberlist.NewKeyring(decoded, decoded[0])
	if err != nil {
		fail(err)
	}
	return ring
}

func bytesOf(key string) []byte {
	decoded, err := hex.DecodeString(key)
	if err != nil {
		fail(fmt.Errorf("a key must be in hex: %w", err))
	}
	return decoded
}
