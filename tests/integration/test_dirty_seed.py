"""What a seed file that is not clean does: a quarantine row or a message, never a traceback."""

STAGED = "select line_number, reasons from staging.stg_customers_rejected order by line_number"


def counts(project):
    return project.query(
        "select (select count(*) from raw.raw_customers), "
        "(select count(*) from staging.stg_customers), "
        "(select count(*) from staging.stg_customers_rejected)"
    )


def replace_line(project, number, text):
    lines = project.seed.read_text().splitlines()
    lines[number - 1] = text
    project.seed.write_text("\n".join(lines) + "\n")


def test_rows_that_cannot_be_customers_are_quarantined_with_their_reasons(project):
    replace_line(project, 3, "2,Male,old,15,81")
    replace_line(project, 5, "4,Female,23,-,777")
    with project.seed.open("a") as seed:
        seed.write("9,Male,64,19,3\n")
        seed.write("10,Male,64,19,3\n")
    project.tested_build()
    assert project.query(STAGED) == [
        (3, "age:not_a_number"),
        (5, "annual_income_k_usd:missing, spending_score:out_of_range"),
        (11, "customer_id:conflict"),
        (202, "exact_duplicate"),
        (203, "customer_id:conflict"),
    ]
    assert counts(project) == [(202, 197, 5)]
    assert project.query("select sum(customers) from marts.segment_profiles") == [(197,)]
    assert project.query(
        "select raw_record from staging.stg_customers_rejected where line_number = 3"
    ) == [
        (
            '{"customer_id":"2","gender":"Male","age":"old",'
            '"annual_income_k_usd":"15","spending_score":"81"}',
        )
    ]


def test_another_spelling_of_the_header_gives_the_same_customers(mall, project):
    text = project.seed.read_text()
    project.seed.write_text(text.replace("CustomerID,Gender", "ID,Genre").replace(" (1-100)", ""))
    project.build("--select", "+stg_customers")
    assert project.query("from staging.stg_customers") == mall.query("from staging.stg_customers")


def test_a_missing_column_is_named_with_those_found(project):
    lines = [line.rsplit(",", 1)[0] for line in project.seed.read_text().splitlines()]
    project.seed.write_text("\n".join(lines) + "\n")
    result = project.dbt("build")
    assert result.returncode == 1
    assert "MISSING_COLUMN: No column found for spending_score." in result.stdout
    assert "The columns are: CustomerID, Gender, Age, Annual Income (k$)." in result.stdout
    assert "column_aliases: {spending_score:" in result.stdout
    assert "Traceback" not in result.stdout
    assert "MallSegments" not in result.stdout.split("MISSING_COLUMN")[1]
