#!/usr/bin/env node
await import('../dist/kubectl/main.js')
