/**
 * Functions of the server that compute and do nothing else. Every other may be a stored one, which does what it was
 * written to do; some built-in ones read files, wait for replicas or take locks, and are not
 * here. Nor is what only some versions have: in the others it is a stored one.
 *
 * @module
 */

export const PLAIN_FUNCTIONS: ReadonlySet<string> = new Set(
  `abs acos adddate addtime ascii asin atan atan2 avg bin bit_and bit_count bit_length bit_or bit_xor cast ceil
  ceiling char char_length character_length charset coalesce coercibility collation concat concat_ws
  connection_id conv convert convert_tz cos cot count crc32 cume_dist curdate current_date current_role
  current_time current_timestamp current_user curtime database date date_add date_format date_sub datediff day
  dayname dayofmonth dayofweek dayofyear default degrees dense_rank elt exp export_set extract field
  find_in_set first_value floor format found_rows from_base64 from_days from_unixtime get_format greatest
  group_concat hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval is_ipv4
  is_ipv6 isnull json_array json_array_append json_array_insert json_arrayagg json_contains json_contains_path
  json_depth json_extract json_insert json_keys json_length json_merge json_merge_patch json_merge_preserve
  json_object json_objectagg json_quote json_remove json_replace json_search json_set json_type json_unquote
  json_valid json_value lag last_day last_insert_id last_value lcase lead least left length ln localtime
  localtimestamp locate log log10 log2 lower lpad ltrim make_set makedate maketime max md5 microsecond mid min
  minute mod month monthname now nth_value ntile nullif oct octet_length ord percent_rank period_add
  period_diff pi position pow power quarter quote radians rand rank regexp_instr regexp_replace regexp_substr
  repeat replace reverse right round row row_count row_number rpad rtrim schema sec_to_time second
  session_user sha sha1 sha2 sign sin soundex space sqrt st_asgeojson st_astext st_contains st_distance
  st_geomfromtext st_intersects st_within st_x st_y std stddev stddev_pop stddev_samp str_to_date strcmp
  subdate substr substring substring_index subtime sum sysdate system_user tan time time_format time_to_sec
  timediff timestamp timestampadd timestampdiff to_base64 to_days to_seconds trim truncate ucase unhex
  unix_timestamp upper user utc_date utc_time utc_timestamp uuid uuid_short values value var_pop var_samp
  variance version week weekday weekofyear weight_string year yearweek`
    .split(/\s+/)
    .filter((name) => name !== ""),
);

/** What may stand before a parenthesis and calls nothing: words of the language, and types. */
export const NO_FUNCTIONS: ReadonlySet<string> = new Set(
  `all and any as between binary bit by case check constraint cross datetime decimal dec delete distinct distinctrow div double
  else end escape except exists float for from full group having in index inner int integer into intersect is join key left
  like limit minus natural not null numeric offset on or order outer over partition primary procedure references regexp
  returning right rlike select set some sounds straight_join table then union unique unsigned signed update using
  varchar varbinary when where with xor recursive bigint smallint tinyint mediumint nchar nvarchar enum columns rows range
  ignore force use fulltext spatial separator within lateral filter tinytext text blob json`
    .split(/\s+/)
    .filter((name) => name !== ""),
);
