<?php
// What is due, done now: WordPress's own wp-cron.php loads nothing where ABSPATH is known, as the router makes it.
require __DIR__ . '/wp-load.php';
require __DIR__ . '/wp-cron.php';
