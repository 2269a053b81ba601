"""What users would build instead: FastAPI, SQLAlchemy's ORM, pydantic, over the same tables."""
