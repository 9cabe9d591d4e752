"""The local Redshift gives the values Redshift's documentation gives.

One line a probe: the statement, its value (the first column of the only row), and the page below
https://docs.aws.amazon.com/redshift/latest/dg/ that says so. Where a page has no example, the value follows from its
sentence.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from redshift_connector.cursor import Cursor

from iot_pipeline_tests.support.warehouse import LocalWarehouse

T = dt.datetime
D = dt.date

PROBES: list[tuple[str, Any, str]] = [
    # Dates and times
    ("SELECT dateadd(month, 18, '2008-02-28')", T(2009, 8, 28), "r_DATEADD_function.html"),
    ("SELECT dateadd(m, 30, '2008-02-28')", T(2008, 2, 28, 0, 30), "r_DATEADD_function.html"),
    ("SELECT dateadd(month, 1, '2008-04-30')", T(2008, 5, 30), "r_DATEADD_function.html"),
    ("SELECT dateadd(month, 12, '2016-02-29')", T(2017, 2, 28), "r_DATEADD_function.html"),
    ("SELECT dateadd(year, 1, '2016-02-29')", T(2017, 3, 1), "r_DATEADD_function.html"),
    ("SELECT dateadd(year, 4, date '2016-02-29')", T(2020, 2, 29), "r_DATEADD_function.html"),
    ("SELECT dateadd('day', 30, date '2008-11-01')", T(2008, 12, 1), "r_DATEADD_function.html"),
    ("SELECT dateadd(minute, 5, time '20:00:00')", dt.time(20, 5), "r_DATEADD_function.html"),
    ("SELECT dateadd(hour, 12, time '13:24:55')", dt.time(1, 24, 55), "r_DATEADD_function.html"),
    ("SELECT dateadd(day, '-1', date '2026-11-01')", T(2026, 10, 31), "r_DATEADD_function.html"),
    ("SELECT dateadd(qtr, 1, timestamp '2026-11-30 01:00:00')", T(2027, 2, 28, 1), "r_DATEADD_function.html"),
    ("SELECT add_months('2008-04-30'::timestamp, 1)", T(2008, 5, 31), "r_ADD_MONTHS.html"),
    ("SELECT add_months(date '2008-03-31', -1)", T(2008, 2, 29), "r_ADD_MONTHS.html"),
    ("SELECT datediff(week, '2009-01-01', '2009-12-31')", 52, "r_DATEDIFF_function.html"),
    ("SELECT datediff(qtr, '1998-07-01', '2008-06-05')", 39, "r_DATEDIFF_function.html"),
    ("SELECT datediff(year, '2008-12-31', '2009-01-01')", 1, "r_DATEDIFF_function.html"),
    ("SELECT datediff(hour, '2009-01-01 8:30:00', '2009-01-01 10:00:00')", 2, "r_DATEDIFF_function.html"),
    ("SELECT datediff(day, '2009-01-02 00:00:00', '2009-01-01 23:59:59')", -1, "r_DATEDIFF_function.html"),
    ("SELECT datediff(month, '2026-01-31', '2026-02-01')", 1, "r_DATEDIFF_function.html"),
    ("SELECT datediff(minutes, '2026-01-01 00:00:59', '2026-01-01 00:01:00')", 1, "r_DATEDIFF_function.html"),
    ("SELECT datediff(s, '2026-01-01 00:00:00.9', '2026-01-01 00:00:01.1')", 1, "r_DATEDIFF_function.html"),
    ("SELECT datediff(ms, '2026-01-01 00:00:00.9', '2026-01-01 00:00:01.1')", 200, "r_DATEDIFF_function.html"),
    ("SELECT datediff(us, '2026-01-01 00:00:00', '2026-01-01 00:00:01')", 1000000, "r_DATEDIFF_function.html"),
    ("SELECT date_trunc('minute', TIMESTAMP '20200430 04:05:06.789')", T(2020, 4, 30, 4, 5), "r_DATE_TRUNC.html"),
    ("SELECT date_trunc('week', TIMESTAMP '20220430 04:05:06.789')", T(2022, 4, 25), "r_DATE_TRUNC.html"),
    ("SELECT date_trunc('quarter', date '2020-05-30')", T(2020, 4, 1), "r_DATE_TRUNC.html"),
    ("SELECT date_trunc('millennium', TIMESTAMP '20200430 04:05:06.789')", T(2001, 1, 1), "r_DATE_TRUNC.html"),
    (
        "SELECT extract(sec FROM timestamp '2009-09-21 11:10:03.189717')",
        3,
        "r_Dateparts_for_datetime_functions.html",
    ),
    (
        "SELECT date_part(sec, timestamp '2009-09-21 11:10:03.189717')",
        3.189717,
        "r_Dateparts_for_datetime_functions.html",
    ),
    ("SELECT extract(ms FROM timestamp '2009-09-09 12:08:43.101')", 101, "r_EXTRACT_function.html"),
    ("SELECT extract(ms FROM time '18:25:33.123456')", 123, "r_EXTRACT_function.html"),
    ("SELECT extract(minute FROM timestamp '2009-09-09 12:08:43')", 8, "r_EXTRACT_function.html"),
    (
        "SELECT extract(century FROM timestamp '2000-12-16 12:21:13')",
        20,
        "r_Dateparts_for_datetime_functions.html",
    ),
    ("SELECT extract(epoch FROM timestamp '9999-12-31 00:00:00')", 253402214400, "r_EXTRACT_function.html"),
    ("SELECT date_part(dow, date '2026-11-22')", 0.0, "r_DATE_PART_function.html"),
    ("SELECT last_day(date '2026-02-10')", D(2026, 2, 28), "r_LAST_DAY.html"),
    ("SELECT trunc(timestamp '2011-07-21 10:32:38.248109')", D(2011, 7, 21), "r_TRUNC.html"),
    ("SELECT getdate() - date_trunc('second', sysdate) < interval '10 seconds'", True, "r_GETDATE.html"),
    ("SELECT extract(ms FROM getdate())", 0, "r_GETDATE.html"),
    ("SELECT trunc(sysdate) = current_date", True, "r_SYSDATE.html"),
    (
        "SELECT convert_timezone('America/New_York', '2013-02-01 08:00:00')",
        T(2013, 2, 1, 3),
        "CONVERT_TIMEZONE.html",
    ),
    (
        "SELECT convert_timezone('America/New_York', '2013-06-01 08:00:00')",
        T(2013, 6, 1, 4),
        "CONVERT_TIMEZONE.html",
    ),
    (
        "SELECT convert_timezone('EST', 'PST', '20080305 12:25:29')",
        T(2008, 3, 5, 9, 25, 29),
        "CONVERT_TIMEZONE.html",
    ),
    (
        "SELECT convert_timezone('GMT', 'NEWZONE +2', '2014-05-17 12:00:00')",
        T(2014, 5, 17, 10),
        "CONVERT_TIMEZONE.html",
    ),
    (
        "SELECT to_char(timestamp '2009-12-31 23:15:59', 'MONTH-DY-DD-YYYY HH12:MIPM')",
        "DECEMBER -THU-31-2009 11:15PM",
        "r_TO_CHAR.html",
    ),
    ("SELECT to_char(timestamp '2022-05-16 23:15:59', 'ID')", "1", "r_TO_CHAR.html"),
    ("SELECT to_char(-125.8, '999D99S')", "125.80-", "r_TO_CHAR.html"),
    ("SELECT to_date('02 Oct 2001', 'DD Mon YYYY')", D(2001, 10, 2), "r_TO_DATE_function.html"),
    # NULL and choice
    ("SELECT nvl(NULL, 2, 3)", 2, "r_NVL_function.html"),
    ("SELECT nvl2(NULL, 'a', 'b')", "b", "r_NVL2.html"),
    ("SELECT nvl2(0, 'a', 'b')", "a", "r_NVL2.html"),
    ("SELECT decode(NULL, NULL, 0, 1)", 0, "r_DECODE_expression.html"),
    ("SELECT decode('MLS', 'NHL', 'Hockey', 'MLS', 'Soccer', 'Unknown')", "Soccer", "r_DECODE_expression.html"),
    ("SELECT decode('NBA', 'NHL', 'Hockey')", None, "r_DECODE_expression.html"),
    ("SELECT greatest(1, NULL, 3)", 3, "r_GREATEST_LEAST.html"),
    ("SELECT least(NULL, NULL)", None, "r_GREATEST_LEAST.html"),
    # Text
    ("SELECT 'a' || NULL", None, "r_concat_op.html"),
    ("SELECT concat('a', NULL)", None, "r_CONCAT.html"),
    ("SELECT concat('December ', '25')", "December 25", "r_CONCAT.html"),
    ("SELECT len('français')", 8, "r_LEN.html"),
    ("SELECT octet_length('français')", 9, "r_OCTET_LENGTH.html"),
    ("SELECT charindex('fish', 'dogfish')", 4, "r_CHARINDEX.html"),
    ("SELECT charindex('dog', 'fish')", 0, "r_CHARINDEX.html"),
    ("SELECT charindex('.', 1234.5)", 5, "r_CHARINDEX.html"),
    ("SELECT split_part(timestamp '2008-03-05 12:25:29', '-', 2)", "03", "SPLIT_PART.html"),
    ("SELECT split_part('abc$def$ghi', '$', 4)", "", "SPLIT_PART.html"),
    ("SELECT substring('caterpillar', 6, 4)", "pill", "r_SUBSTRING.html"),
    ("SELECT regexp_substr('the fox', 'FOX', 1, 1, 'i')", "fox", "REGEXP_SUBSTR.html"),
    ("SELECT regexp_substr('amet@condimentum.ca', '@[^.]*')", "@condimentum", "REGEXP_SUBSTR.html"),
    (
        "SELECT regexp_substr('passwd7 plain A1234 a1234', '(?=[^ ]*[a-z])(?=[^ ]*[0-9])[^ ]+', 1, 2, 'p')",
        "a1234",
        "REGEXP_SUBSTR.html",
    ),
    ("SELECT regexp_substr('abc', 'x')", "", "REGEXP_SUBSTR.html"),
    ("SELECT regexp_substr('abc', 'b', 1, 0)", None, "REGEXP_SUBSTR.html"),
    (r"SELECT regexp_replace('sed@lacusUtnec.ca', '@.*\\.(org|gov|com|edu|ca)$')", "sed", "REGEXP_REPLACE.html"),
    (
        "SELECT regexp_replace('the fox', 'FOX', 'quick brown fox', 1, 'i')",
        "the quick brown fox",
        "REGEXP_REPLACE.html",
    ),
    ("SELECT regexp_replace('a1b2', '[0-9]', '')", "ab", "REGEXP_REPLACE.html"),
    ("SELECT regexp_count('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}')", 8, "REGEXP_COUNT.html"),
    (r"SELECT regexp_count('x@turpis.org', '@[^.]*\\.(org|edu)')", 1, "REGEXP_COUNT.html"),
    (
        "SELECT sha2('abc', 256)",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "SHA2.html",
    ),
    ("SELECT md5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a", "r_MD5.html"),
    ("SELECT strtol('0xf', 16)", 15, "r_STRTOL.html"),
    ("SELECT strtol('abcd1234', 16)", 2882343476, "r_STRTOL.html"),
    ("SELECT strtol('1234567', 8)", 342391, "r_STRTOL.html"),
    ("SELECT strtol('-110101', 2)", -53, "r_STRTOL.html"),
    ("SELECT strtol('', 2)", 0, "r_STRTOL.html"),
    # Numbers
    ("SELECT 7 / 2", 3, "r_OPERATOR_SYMBOLS.html"),
    ("SELECT 7 / 2.0::float", 3.5, "r_OPERATOR_SYMBOLS.html"),
    ("SELECT round(28.05, 1)", Decimal("28.1"), "r_ROUND.html"),
    ("SELECT round(28.05, -1)", Decimal(30), "r_ROUND.html"),
    ("SELECT round(28.05::float, 1)", 28.1, "r_ROUND.html"),
    ("SELECT trunc(111.15, 1)", Decimal("111.1"), "r_TRUNC.html"),
    ("SELECT 2.5::numeric", Decimal(3), "r_Numeric_types201.html"),
    ("SELECT 12.34::decimal(10, 1)", Decimal("12.3"), "r_Numeric_types201.html"),
    ("SELECT TRY_CAST('12' AS integer)", 12, "r_TRY_CAST.html"),
    ("SELECT TRY_CAST('foo' AS integer)", None, "r_TRY_CAST.html"),
    ("SELECT convert(integer, '7')", 7, "r_CONVERT_function.html"),
    # JSON and SUPER
    (
        """SELECT json_extract_path_text('{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}}', 'f4', 'f6')""",
        "star",
        "JSON_EXTRACT_PATH_TEXT.html",
    ),
    (
        """SELECT json_extract_path_text('{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}', 'f4', 'f6', true)""",
        None,
        "JSON_EXTRACT_PATH_TEXT.html",
    ),
    ("""SELECT json_extract_path_text('{"a":1}', 'b')""", None, "JSON_EXTRACT_PATH_TEXT.html"),
    ("SELECT json_extract_array_element_text('[111,112,113]', 2)", "113", "JSON_EXTRACT_ARRAY_ELEMENT_TEXT.html"),
    ("SELECT json_array_length('[11,12,13,{\"f1\":21},14]')", 5, "JSON_ARRAY_LENGTH.html"),
    ("""SELECT is_valid_json('{"a":{"b":{"c":1}}}')""", True, "IS_VALID_JSON.html"),
    ("SELECT is_valid_json('{{}}')", False, "IS_VALID_JSON.html"),
    ("SELECT is_valid_json('[1,2,3]')", False, "IS_VALID_JSON.html"),
    ("SELECT is_valid_json_array('[1,2,3]')", True, "IS_VALID_JSON_ARRAY.html"),
    ("SELECT can_json_parse('[1,2,3]')", True, "CAN_JSON_PARSE.html"),
    ("""SELECT json_serialize(json_parse('[10001, 10002, "abc"]'))""", '[10001,10002,"abc"]', "JSON_SERIALIZE.html"),
    ("""SELECT json_typeof(json_parse('{"a": [1]}').a)""", "array", "query-super.html"),
    (
        """SELECT c.data.scalar_array[1]::float FROM (SELECT json_parse('{"scalar_array": [1, 2.3]}') AS data) AS c""",
        2.3,
        "query-super.html",
    ),
    ("""SELECT d.v.a.b::varchar FROM (SELECT json_parse('{"a": {"b": "x"}}') AS v) AS d""", "x", "query-super.html"),
    ("""SELECT v.a::integer FROM (SELECT json_parse('{"a": "Good"}') AS v) AS d""", None, "query-super.html"),
    ("""SELECT v[5].a FROM (SELECT json_parse('[1]') AS v) AS d""", None, "query-super.html"),
]

# Queries over winsales and sales, as the pages' own examples.
WINSALES = """
CREATE TABLE winsales (salesid int, dateid date, sellerid int, buyerid char(10), qty int, qty_shipped int)
DISTKEY (sellerid);
INSERT INTO winsales VALUES
    (30001, '2003-08-02', 3, 'b', 10, 10), (10001, '2003-12-24', 1, 'c', 10, 10),
    (10005, '2003-12-24', 1, 'a', 30, NULL),
    (40001, '2004-01-09', 4, 'a', 40, NULL), (10006, '2004-01-18', 1, 'c', 10, NULL),
    (20001, '2004-02-12', 2, 'b', 20, 20),
    (40005, '2004-02-12', 4, 'a', 10, 10), (20002, '2004-02-16', 2, 'c', 20, 20),
    (30003, '2004-04-18', 3, 'b', 15, NULL),
    (30004, '2004-04-18', 3, 'b', 20, NULL), (30007, '2004-09-07', 3, 'c', 30, NULL);
CREATE TABLE store_sales (ss_sold_date date, ss_sold_time time, ss_item text, ss_sales_price float);
INSERT INTO store_sales VALUES
    ('2022-01-01', '09:00:00', 'Product 1', 100.0), ('2022-01-01', '11:00:00', 'Product 2', 500.0),
    ('2022-01-01', '15:00:00', 'Product 3', 20.0), ('2022-01-01', '17:00:00', 'Product 4', 1000.0),
    ('2022-01-01', '18:00:00', 'Product 5', 30.0), ('2022-01-02', '10:00:00', 'Product 6', 5000.0),
    ('2022-01-02', '16:00:00', 'Product 7', 5.0);
"""
QUERIES: list[tuple[str, list[tuple[Any, ...]], str]] = [
    (
        "SELECT listagg(sellerid) WITHIN GROUP (ORDER BY dateid, salesid) FROM winsales",
        [("31141242333",)],
        "r_LISTAGG.html",
    ),
    (
        (
            "SELECT listagg(dateid, '|') WITHIN GROUP (ORDER BY sellerid DESC, salesid ASC) FROM winsales WHERE "
            "buyerid = 'b'"
        ),
        [("2003-08-02|2004-04-18|2004-04-18|2004-02-12",)],
        "r_LISTAGG.html",
    ),
    (
        "SELECT listagg(DISTINCT qty, ', ') WITHIN GROUP (ORDER BY qty) FROM winsales",
        [("10, 15, 20, 30, 40",)],
        "r_LISTAGG.html",
    ),
    ("SELECT listagg(qty_shipped) FROM winsales WHERE sellerid = 9", [(None,)], "r_LISTAGG.html"),
    ("SELECT avg(qty), avg(salesid::bigint) FROM winsales", [(19, 24548)], "r_AVG.html"),
    ("SELECT avg(qty::float) FROM winsales WHERE sellerid = 3", [(18.75,)], "r_AVG.html"),
    (
        "SELECT median(qty), percentile_cont(0.5) WITHIN GROUP (ORDER BY qty) FROM winsales",
        [(20.0, 20.0)],
        "r_MEDIAN.html",
    ),
    ("SELECT APPROXIMATE count(DISTINCT buyerid) FROM winsales", [(3,)], "r_COUNT.html"),
    (
        (
            "SELECT sellerid, qty, ratio_to_report(qty) OVER (PARTITION BY sellerid) FROM winsales WHERE "
            "sellerid IN (2, 4) ORDER BY 1, 2"
        ),
        [(2, 20, 0.5), (2, 20, 0.5), (4, 10, 0.2), (4, 40, 0.8)],
        "r_WF_RATIO_TO_REPORT.html",
    ),
    (
        (
            "SELECT salesid, lag(qty_shipped) IGNORE NULLS OVER (ORDER BY salesid) FROM winsales WHERE sellerid "
            "IN (1, 4) ORDER BY 1"
        ),
        [(10001, None), (10005, 10), (10006, 10), (40001, 10), (40005, 10)],
        "r_WF_LAG.html",
    ),
    (
        (
            "SELECT salesid, lead(qty_shipped, 1) OVER (ORDER BY salesid), lead(qty_shipped) IGNORE NULLS "
            "OVER (ORDER BY salesid) "
            "FROM winsales WHERE sellerid IN (1, 2) ORDER BY 1"
        ),
        [(10001, None, 20), (10005, None, 20), (10006, 20, 20), (20001, 20, 20), (20002, None, None)],
        "r_WF_LEAD.html",
    ),
    (
        (
            "SELECT salesid, first_value(qty_shipped IGNORE NULLS) OVER (PARTITION BY sellerid ORDER BY salesid DESC "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), last_value(qty_shipped) IGNORE NULLS "
            "OVER (PARTITION BY "
            "sellerid ORDER BY salesid ROWS UNBOUNDED PRECEDING) FROM winsales WHERE sellerid = 3 ORDER BY 1"
        ),
        [(30001, 10, 10), (30003, 10, 10), (30004, 10, 10), (30007, 10, 10)],
        "r_WF_first_value.html",
    ),
    (
        (
            "SELECT * FROM store_sales ss WHERE ss_sold_time > time '12:00:00' QUALIFY row_number() OVER "
            "(PARTITION BY ss_sold_date "
            "ORDER BY ss_sales_price DESC) <= 2 ORDER BY ss_item"
        ),
        [
            (D(2022, 1, 1), dt.time(17), "Product 4", 1000.0),
            (D(2022, 1, 1), dt.time(18), "Product 5", 30.0),
            (D(2022, 1, 2), dt.time(16), "Product 7", 5.0),
        ],
        "r_QUALIFY_clause.html",
    ),
    (
        (
            "SELECT * FROM store_sales ss QUALIFY last_value(ss_item) OVER (PARTITION BY ss_sold_date ORDER "
            "BY ss_sold_time ASC "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) = ss_item ORDER BY ss_sold_date"
        ),
        [
            (D(2022, 1, 1), dt.time(18), "Product 5", 30.0),
            (D(2022, 1, 2), dt.time(16), "Product 7", 5.0),
        ],
        "r_QUALIFY_clause.html",
    ),
    (
        (
            "SELECT ss_sold_date, max(ss_sales_price) AS top, rank() OVER (ORDER BY max(ss_sales_price) "
            "DESC) AS place FROM store_sales "
            "GROUP BY ss_sold_date QUALIFY place = 1"
        ),
        [(D(2022, 1, 2), 5000.0, 1)],
        "r_QUALIFY_clause.html",
    ),
    (
        (
            "SELECT a.*, b.ss_item AS next FROM (SELECT ss_item, ss_sold_date FROM store_sales) a JOIN store_sales b "
            "ON a.ss_sold_date = b.ss_sold_date QUALIFY row_number() OVER (ORDER BY a.ss_item, b.ss_item) = 2"
        ),
        [("Product 1", D(2022, 1, 1), "Product 2")],
        "r_QUALIFY_clause.html",
    ),
    ("SELECT TOP 2 ss_item FROM store_sales ORDER BY 1", [("Product 1",), ("Product 2",)], "r_SELECT_list.html"),
    (
        "SELECT sellerid, count(*) FROM winsales GROUP BY ROLLUP (sellerid) ORDER BY 1 DESC LIMIT 2",
        [(None, 11), (4, 2)],
        "r_GROUP_BY_clause.html",
    ),
    ("SELECT sellerid FROM winsales MINUS SELECT 1 MINUS SELECT 2 ORDER BY 1", [(3,), (4,)], "r_UNION.html"),
]


@pytest.fixture(scope="module")
def cursor(local_warehouse: LocalWarehouse) -> Iterator[Cursor]:
    with local_warehouse.cursor() as cursor:
        cursor.execute("CREATE SCHEMA probes")
        cursor.execute("SET search_path TO probes")
        for statement in WINSALES.strip(";\n").split(";\n"):
            cursor.execute(statement)
        yield cursor


def rows(cursor: Cursor, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


@pytest.mark.parametrize(("sql", "expected", "page"), PROBES, ids=[probe[0][7:80] for probe in PROBES])
def test_value_is_redshifts(cursor: Cursor, sql: str, expected: Any, page: str) -> None:
    ((value,),) = rows(cursor, sql)
    assert value == expected, page
    assert type(value) is type(expected), page


@pytest.mark.parametrize(("sql", "expected", "page"), QUERIES, ids=[query[0][7:80] for query in QUERIES])
def test_rows_are_redshifts(cursor: Cursor, sql: str, expected: list[tuple[Any, ...]], page: str) -> None:
    assert rows(cursor, sql) == expected, page
