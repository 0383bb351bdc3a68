-- One statement a line. What stands before >> is done first in the same session, and not looked at.
select 1
select count(*) from orders
insert into orders values (100, 'a')
update orders set note = 'b' where id = 1
update orders set note = 'c'
delete from lines where id = 5
with d as (delete from lines where id = 4 returning *) select * from d
with recursive r as (select 1 as n union all select n + 1 from r where n < 3), i as (insert into orders select 200 + n from r returning 1) select count(*) from i
with x as (select 1), y as (update orders set note = 'y' where id = 2 returning note) select note from y
explain select * from orders
explain delete from orders
explain (analyze) insert into orders values (101)
explain (analyze true, costs off) update orders set price = 3 where id = 3
explain (analyze off) update orders set price = 4
explain analyze create table made_by_explain as select 1 as x
select * into made_by_into from orders
create table made_by_as as select * from orders
create temp table temp_only as select 1 as x
merge into orders o using lines l on o.id = l.id when matched then update set note = 'm'
insert into orders values (1, 'q') on conflict (id) do update set note = 'conflict'
insert into orders values (1, 'q') on conflict do nothing
truncate lines
select touch()
select note, (select touch()) from orders where id = 1
select o.touch from orders o where o.id = 1
select (o).touch from orders o where o.id = 1
select touch(o) from orders o where id = 1
select * from touch()
select * from orders, lateral (select touch()) t limit 1
select case when touch() > 0 then 1 end
select coalesce(null, touch())
select array[touch()]
select row(touch(), 1)
select count(*) filter (where touch() > 0) from lines
select id from orders where touch() is not null limit 1
select id from orders order by touch() limit 1
select id from orders group by id having touch() > 0 limit 1
select id from orders limit touch()
select sum(touch()) over () from orders limit 1
select distinct on (touch()) id from orders
values (touch())
table orders
select 1 union select touch()
select * from orders o join lines l on o.id = l.ord and touch() > 0
select * from orders tablesample bernoulli (touch() % 2)
select other.lower('x')
select nextval('counter')
select setval('counter', 50)
select nextval('counter'::regclass)
select pg_catalog.nextval('public.counter')
insert into serials (t) values ('x')
select currval('counter')
select lastval()
select lo_create(0)
select lo_from_bytea(0, 'x')
select lo_put(4242, 0, 'abc')
select lo_get(4242)
select lo_unlink(4242)
select pg_advisory_lock(1)
select pg_try_advisory_lock(2)
begin >> select pg_advisory_xact_lock(3)
select pg_notify('oracle', 'x')
notify oracle, 'y'
begin >> select * from orders for update
begin >> select * from orders for share
begin >> select id from (select id from orders for no key update) x
begin >> lock table orders
begin >> lock table orders in access share mode
select set_config('application_name', 'x', false)
select set_config('role', 'bob', false)
select set_config('ro' || 'le', 'bob', false)
select set_config(n, 'bob', false) from (values ('role')) v(n)
set role bob
set session authorization bob
set local role bob
set application_name = 'y'
set session characteristics as transaction read only
do $$ begin insert into orders values (9300); end $$
call work()
prepare p as insert into orders values (9301) >> execute p
prepare p as insert into orders values (9302) >> explain analyze execute p
prepare p as insert into orders values (9303)
prepare p as select 1 >> create table made_by_execute as execute p
begin; declare c cursor for select touch() >> fetch all from c
copy orders to stdout
copy (select 1) to stdout
copy (insert into orders values (9304) returning 1) to stdout
copy (select touch()) to stdout
copy orders to '/tmp/cofferdam-oracle-copy'
copy (select 1) to program 'cat > copied_by_program'
create table t1 (a int)
create table t2 (a int default touch())
create table t3 (like orders including all)
create unlogged table t4 (a int)
create view v1 as select 1 as x
create or replace view orders_view as select * from orders where id > 1
create materialized view m1 as select touch() as x
refresh materialized view totals
create index on orders (note)
create index on orders (pure(id))
create sequence s1
create schema s2
create schema s3 create table x (a int)
create type t5 as (a int)
create type t6 as enum ('a')
create domain d1 as int check (value > 0)
create function f1() returns int language sql as 'select 1'
create procedure p1() language sql as 'select 1'
create aggregate a1 (int) (sfunc = int4pl, stype = int)
create operator public.#### (leftarg = int, rightarg = int, function = int4pl)
create cast (mood as text) with inout
create trigger tr before insert on lines for each row execute function suppress_redundant_updates_trigger()
create rule ru as on delete to lines do instead nothing
create policy po on orders
create statistics st on id, note from orders
create extension if not exists plpgsql
create publication pu for table orders
create server sv foreign data wrapper nothing
create foreign data wrapper nothing
create event trigger et on ddl_command_start execute function touch()
create role dora
create user mapping for bob server sv
create database made
create tablespace ts location '/nowhere'
create language plnothing
create access method am type table handler heap_tableam_handler
create collation co from "C"
create text search configuration tc (copy = simple)
create conversion cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8
alter table orders add column extra int
alter table orders alter column extra set default 5
alter table orders rename column extra to more
alter table orders drop column more
alter table orders enable row level security
alter table orders disable row level security
alter table orders owner to bob
alter table orders owner to postgres
alter table orders set (fillfactor = 50)
alter table t1 set schema other
alter table other.t1 rename to t1_renamed
alter sequence counter restart
alter sequence counter increment 2
alter type mood add value 'bad'
alter domain d1 drop not null
alter function pure(int) cost 5
alter role bob createdb
alter role bob set work_mem = '5MB'
alter database shop set work_mem = '5MB'
alter system set work_mem = '5MB'
alter default privileges in schema public grant select on tables to bob
alter policy po on orders to bob
alter view orders_view rename to orders_view_2
alter index orders_pkey rename to orders_key
grant select on orders to bob
grant bob to carol
revoke bob from carol
revoke select on orders from bob
grant all on schema other to bob
comment on table orders is 'told'
security label on table orders is 'x'
reassign owned by bob to postgres
drop owned by bob
vacuum orders
vacuum full lines
analyze orders
reindex table orders
cluster orders using orders_key
checkpoint
discard all
discard temp
reset all
reset role
begin
begin; insert into orders values (9400); commit
begin; insert into orders values (9401); rollback
insert into orders values (9402); select 1
select 1; select 2; delete from lines
select 1;;; /* nothing */ -- nothing
select 1 /* ; */ ; insert /* x */ into/**/orders values (9403)
select $$insert into orders values (9404)$$
select 'x'';insert into orders values (9405);--'
select E'\'; insert into orders values (9406); --'
select U&'\0027; insert into orders values (9407)'
insert into parts values (3)
delete from parts where id = 1
update only parts_1 set id = 4 where id = 2
insert into orders (id) select 500 from generate_series(1, 1)
insert into orders (id) select id + 70000 from lines
insert into orders (id) values (9501) returning (select touch())
update orders set price = (select count(*) from lines) where id = 3 returning *
delete from orders using lines where orders.id = lines.ord and lines.id = 999
prepare transaction 'none'
begin; insert into orders values (9600) >> prepare transaction 'tp'
commit prepared 'tp'
select query_to_xml('insert into orders values (9601) returning 1', true, true, '')
select query_to_xml('select touch()', true, true, '')
select table_to_xml('orders', true, true, '')
select schema_to_xml('other', true, true, '')
select cursor_to_xml('c', 1, true, true, '')
select ts_stat('select touch()::text::tsvector')
select ts_rewrite('a'::tsquery, 'select touch()::text::tsquery, ''b''::tsquery')
select pg_read_file('PG_VERSION')
select pg_ls_dir('.')
select lo_import('/etc/hostname')
select lo_export(4242, '/tmp/cofferdam-oracle-lo')
select pg_logical_emit_message(true, 'a', 'b')
select pg_create_logical_replication_slot('sl', 'pgoutput')
select pg_drop_replication_slot('sl')
select pg_create_restore_point('x')
select pg_switch_wal()
select pg_reload_conf()
select pg_rotate_logfile()
select pg_stat_reset()
select pg_import_system_collations('other')
select pg_export_snapshot()
select pg_cancel_backend(0)
select pg_terminate_backend(0)
select pg_extension_config_dump('orders', '')
select brin_summarize_new_values('orders_key')
select gin_clean_pending_list('orders_key')
select binary_upgrade_create_empty_extension('x', 'public', false, '1', null, null, null)
select tsvector_update_trigger()
select has_table_privilege('bob', 'orders', 'select')
select pg_get_viewdef('orders_view_2')
select to_regclass('orders'), 'orders'::regclass, current_setting('search_path')
select json_agg(o), row_to_json(o), to_jsonb(o) from orders o group by o.*
select xmlelement(name a, xmlattributes(id as b), note), xmlforest(id, note), xmlagg(xmlelement(name x)) from orders group by id, note
select * from xmltable('/a' passing '<a/>' columns x text default touch()::text)
select * from json_each_text((select row_to_json(o) from orders o limit 1))
select * from unnest(array[touch()])
select * from rows from (generate_series(1, 2), touch()) with ordinality
select 1 operator(public.###) 2
select 1 ### 2
select pure(1)
select note::mood from orders where false
select cast(touch() as text)
select extract(epoch from now()), date_trunc('day', now()), random(), clock_timestamp(), gen_random_uuid()
select pg_sleep(0)
select string_agg(note, ',' order by touch()) from orders
select percentile_cont(0.5) within group (order by touch()) from lines
select grouping(id), id from orders group by rollup (id, (select touch()))
select lag(id, touch()) over (order by id) from orders limit 1
select id from orders window w as (partition by touch()) limit 1
select (select touch() from lines limit 1) is distinct from null
select 1 where exists (select touch())
select 1 where 1 in (select touch())
select 1 where 1 = any (select touch())
select 1 between touch() and 2
select nullif(touch(), 1), greatest(touch(), 1)
select not (touch() > 0)
select array(select touch())
select (array[1, 2])[touch() - touch() + 1]
select 'a' like touch()::text
select touch()::text collate "C"
import foreign schema public from server sv into other
listen oracle
unlisten *
load 'plpgsql'
show all
show search_path
close all
fetch 1 from nothing
move 1 from nothing
set constraints all deferred
deallocate all
drop table made_by_into
drop view orders_view_2 cascade
drop function pure(int) cascade
drop type mood cascade
drop schema other cascade
drop role carol
drop table orders cascade
