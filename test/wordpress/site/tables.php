<?php
// What the tests see of the database, and put back between two of them. POST ?do=keep|restore|read|query.
$database = new mysqli(null, 'wordpress', '', 'wordpress', 0, getenv('SITE_SOCKET'));
$database->set_charset('utf8mb4');
const TABLES = [
    'posts', 'postmeta', 'comments', 'commentmeta', 'terms', 'termmeta', 'term_taxonomy',
    'term_relationships', 'users', 'usermeta', 'options',
];
$answer = [];
foreach ($_GET['do'] === 'query' ? [] : TABLES as $table) {
    if ($_GET['do'] === 'keep') {
        $database->query("DROP TABLE IF EXISTS kept_$table");
        $database->query("CREATE TABLE kept_$table LIKE wp_$table");
        $database->query("INSERT INTO kept_$table SELECT * FROM wp_$table");
    } elseif ($_GET['do'] === 'restore') {
        $sums = $database->query("CHECKSUM TABLE wp_$table, kept_$table")->fetch_all();
        if ($sums[0][1] === $sums[1][1]) continue; // Writing is what takes long.
        $database->query("DELETE FROM wp_$table");
        $database->query("INSERT INTO wp_$table SELECT * FROM kept_$table");
    } else {
        $answer[$table] = $database->query("SELECT * FROM wp_$table")->fetch_all(MYSQLI_ASSOC);
    }
}
if ($_GET['do'] === 'query') $database->multi_query(file_get_contents('php://input'));
header('content-type: application/json');
echo json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
