# Add it to yours: (crontab -l; cat crontab) | crontab -
* * * * * cd {{cron_folder}} && .venv/bin/syncbot poll bot:make_app --once --max-seconds 50
