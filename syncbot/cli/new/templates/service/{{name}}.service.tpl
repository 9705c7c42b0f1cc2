# A Telegram bot as a service; README.md says how it is installed.
[Unit]
Description=A Telegram bot
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WatchdogSec=60
ExecStart=/opt/{{name}}/.venv/bin/syncbot run bot:make_app
WorkingDirectory=/opt/{{name}}
EnvironmentFile=/etc/{{name}}.env
Environment=SYNCBOT_STATE=%S/{{name}}/bot.db
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 77 78
TimeoutStopSec=30

DynamicUser=yes
StateDirectory={{name}}
StateDirectoryMode=0700
UMask=0077
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @keyring @memlock
SystemCallErrorNumber=EPERM
LimitCORE=0

[Install]
WantedBy=multi-user.target
