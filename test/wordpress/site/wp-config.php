<?php
// The site of the tests: a database by its socket, addresses as the request names them, nothing from outside.
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:' . getenv('SITE_SOCKET'));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

// Through the gateway the site has the gateway's name, so both come from the request.
$site_host = $_SERVER['HTTP_HOST'] ?? 'localhost';
define('WP_HOME', "http://$site_host");
define('WP_SITEURL', "http://$site_host");

define('WP_ENVIRONMENT_TYPE', 'local'); // Application passwords without TLS.
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_ACCESSIBLE_HOSTS', '127.0.0.1');
define('FS_METHOD', 'direct');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define("{$name}_KEY", "$name of a test");
    define("{$name}_SALT", "$name of a test");
}
require_once ABSPATH . 'wp-settings.php';
