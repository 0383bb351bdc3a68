/** MariaDB and MySQL. */
export {
  mysql,
  readMysqlLogin,
  readMysqlOperation,
  readMysqlOptions,
  type MysqlOperation,
  type MysqlOptions,
} from "./mysql.ts";
export {
  readParameters,
  writeParameters,
  type Parameters as MysqlParameters,
} from "./parameters.ts";
export { readStatement, tokensOf } from "./statement.ts";
export { stringValue, type SqlToken } from "./sql-lexer.ts";
