<?php
// For `php -S`: what a web server's rewrite rules do. Files are served, all else is WordPress's front.
define('ABSPATH', __DIR__ . '/');
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
if ($path !== '/' && is_file(__DIR__ . $path)) {
    if (!str_ends_with($path, '.php')) return false;
    $script = $path;
} else {
    $script = '/index.php';
}
unset($_SERVER['PATH_INFO']);
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $script;
$_SERVER['SCRIPT_FILENAME'] = __DIR__ . $script;
require __DIR__ . $script;
