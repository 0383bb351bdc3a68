<?php
// Installs WordPress with three users, and prints their application passwords as JSON.
define('ABSPATH', __DIR__ . '/');
define('WP_INSTALLING', true);
(new mysqli(null, 'wordpress', '', '', 0, getenv('SITE_SOCKET')))->query('CREATE DATABASE wordpress');
$_SERVER['HTTP_HOST'] = 'localhost';
$_SERVER['PHP_SELF'] = '/index.php';
require ABSPATH . 'wp-config.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

// Otherwise the installation asks itself over HTTP whether rewriting works.
add_filter('pre_option_permalink_structure', fn() => '/%postname%/');
wp_install('Test', 'admin', 'admin@site.example', true, '', 'admin-password');
remove_all_filters('pre_option_permalink_structure');
update_option('permalink_structure', '/%postname%/');
update_option('template', 'plain');
update_option('stylesheet', 'plain');
update_option('comment_moderation', '0');
update_option('comment_previously_approved', '0');
update_option('default_comment_status', 'open');

$passwords = [];
foreach (['admin' => 'administrator', 'editor' => 'editor', 'other' => 'author'] as $name => $role) {
    $id = username_exists($name) ?: wp_insert_user([
        'user_login' => $name,
        'user_email' => "$name@site.example",
        'user_pass' => "$name-password",
        'role' => $role,
    ]);
    [$password] = WP_Application_Passwords::create_new_application_password($id, ['name' => 'test']);
    $passwords[$name] = ['id' => $id, 'password' => $password];
}
global $wp_rewrite;
$wp_rewrite->init();
flush_rewrite_rules(false);
echo json_encode($passwords);
